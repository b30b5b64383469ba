"""Bad input of every kind: each record ends in sales.rejects with its code and its bytes, the stream goes on.

On Kafka the bytes are produced by another client, under keys and partitions of the test's choosing. On the folder log
`paceline import` sends each line's bytes as they are; what only Kafka can hold (wrong key, newlines, no bytes at all)
is left out there. Avro comes from the avro library of Python (oracle_avro.py)."""
import base64
import datetime
import hashlib
import json
import re

import harness
import oracle_avro
import pytest

TENANT = "acme"
BASE = {"tenant": TENANT, "source": "crm", "source_seq": 1, "occurred_at": "2026-03-02T08:00:00.000Z"}
LEAD = {"type": "lead", **BASE, "event_id": "bad", "lead_id": "Lbad", "action": "created"}
ORDER = {"type": "order", **BASE, "event_id": "bad", "order_id": "Obad", "revision": 1, "status": "confirmed", "currency": "CNY",
         "net_amount": 100}
FACT = {"type": "fact", **BASE, "event_id": "bad", "fact_id": "Fbad", "kind": "task", "status": "open"}
VISIT = {"type": "visit", **BASE, "event_id": "bad", "visit_id": "Vbad", "kind": "field", "phase": "checkin"}
PLAN = {"type": "plan", **BASE, "event_id": "bad", "kind": "node", "id": "n1", "valid_from": "2026-01-01T00:00:00.000Z", "reason": "r",
        "approver": "a", "spec": {"kind": "team"}}
TOPICS = {"lead": "sales.leads", "order": "sales.orders", "fact": "sales.facts", "visit": "sales.visits", "plan": "sales.plans"}
BYTES_MAX = 1 << 20


def line(event, **changed):
    """The event as JSON with some fields changed; None leaves a field out."""
    merged = {**event, **changed}
    return json.dumps({k: v for k, v in merged.items() if v is not None}, ensure_ascii=False).encode()


def swapped(event, old, new):
    """The event as JSON with a piece of its text replaced: for what json.dumps cannot write."""
    text = line(event)
    assert text.count(old) == 1, old
    return text.replace(old, new)


def in_hours(hours):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def json_cases():
    """(name, reason, bytes)"""
    yield "nothing but a brace", "bad_json", b"{"
    yield "truncated", "bad_json", line(LEAD)[:-20]
    yield "trailing bytes", "bad_json", line(LEAD) + b" x"
    yield "two objects", "bad_json", line(LEAD) + line(LEAD)
    yield "byte order mark", "bad_json", b"\xef\xbb\xbf" + line(LEAD)
    yield "control character", "bad_json", swapped(LEAD, b"Lbad", b"L\x01bad")
    yield "NaN", "bad_json", swapped(LEAD, b'"source_seq": 1', b'"source_seq": NaN')
    yield "leading zero", "bad_json", swapped(LEAD, b'"source_seq": 1', b'"source_seq": 01')
    yield "single quotes", "bad_json", b"{'type':'lead'}"
    yield "bytes that are no UTF-8", "bad_utf8", swapped(LEAD, b"Lbad", b"L\xff\xfe")
    yield "overlong UTF-8", "bad_utf8", swapped(LEAD, b"Lbad", b"L\xc0\xaf")
    yield "UTF-8 of a surrogate", "bad_utf8", swapped(LEAD, b"Lbad", b"L\xed\xa0\x80")
    yield "escaped half of a pair", "bad_utf8", swapped(LEAD, b"Lbad", b"L\\ud800")
    yield "GBK", "bad_utf8", swapped(LEAD, b"Lbad", "客户".encode("gbk"))
    yield "duplicate key", "duplicate_key", swapped(LEAD, b'"lead_id"', b'"lead_id": "L1", "lead_id"')
    yield "duplicate key in a split", "duplicate_key", line(ORDER)[:-1] + b', "splits": [{"rep_id": "a", "rep_id": "b", "ppm": 1000000}]}'
    yield "duplicate key, once escaped", "duplicate_key", swapped(LEAD, b'"lead_id"', b'"lead\\u005fid": "L1", "lead_id"')
    yield "too deep", "too_deep", b'{"type": "lead", "x": ' + b"[" * 17 + b"]" * 17 + b"}"
    yield "deep enough to break a stack", "too_deep", b"[" * 500000 + b"]" * 500000
    yield "a list", "not_object", b"[" + line(LEAD) + b"]"
    yield "a number", "not_object", b"42"
    yield "a text", "not_object", b'"lead"'
    yield "no type", "missing_field", line(LEAD, type=None)
    yield "no event_id", "missing_field", line(LEAD, event_id=None)
    yield "lead_id null", "missing_field", swapped(LEAD, b'"Lbad"', b"null")
    yield "stage without to_stage", "missing_field", line(LEAD, action="stage")
    yield "correct without corrects", "missing_field", line(LEAD, op="correct")
    yield "amount without currency", "missing_field", line(LEAD, amount=5)
    yield "assigned without owner", "missing_field", line(LEAD, action="assigned")
    yield "unknown type", "unknown_type", line(LEAD, type="leads")
    yield "an alert among the leads", "wrong_topic", line(LEAD, type="alert")
    yield "unknown field", "unknown_field", line(LEAD, phone="x")
    yield "field of another type", "unknown_field", line(LEAD, order_id="o1")
    yield "text for a number", "bad_type", line(LEAD, source_seq="1")
    yield "number for a text", "bad_type", line(LEAD, lead_id=7)
    yield "decimal for an integer", "bad_type", swapped(LEAD, b'"source_seq": 1', b'"source_seq": 1.0')
    yield "exponent", "bad_type", swapped(LEAD, b'"source_seq": 1', b'"source_seq": 1e3')
    yield "object for a list", "bad_type", line(ORDER, splits={})
    yield "list for an object", "bad_type", line(FACT, attrs=[])
    yield "text for a bool", "bad_type", line(VISIT, mock_gps="true")
    yield "enum out of its list", "bad_enum", line(LEAD, action="vanished")
    yield "enum in capitals", "bad_enum", line(LEAD, action="CREATED")
    yield "empty id", "bad_id", line(LEAD, lead_id="")
    yield "id of 65 bytes", "bad_id", line(LEAD, lead_id="x" * 65)
    yield "id of 22 Chinese characters", "bad_id", line(LEAD, lead_id="客" * 22)
    yield "control character in an id", "bad_id", swapped(LEAD, b"Lbad", b"L\\u0007")
    yield "tenant with a blank", "bad_id", line(LEAD, tenant="ac me")
    yield "e-mail as lead_id", "personal_id", line(LEAD, lead_id="lin.wei@example.com")
    yield "e-mail as owner_id", "personal_id", line(LEAD, owner_id="lin.wei@example.com")
    yield "phone as customer_id", "personal_id", line(LEAD, customer_id="+8613912345678")
    yield "Chinese mobile number as rep_id", "personal_id", line(VISIT, rep_id="13912345678")
    yield "month 13", "bad_time", line(LEAD, occurred_at="2026-13-01T00:00:00Z")
    yield "no zone", "bad_time", line(LEAD, occurred_at="2026-03-01T00:00:00")
    yield "a date for an instant", "bad_time", line(LEAD, occurred_at="2026-03-01")
    yield "29 February of a common year", "bad_time", line(LEAD, occurred_at="2026-02-29T00:00:00Z")
    yield "second 60", "bad_time", line(LEAD, occurred_at="2026-06-30T23:59:60Z")
    yield "hour 24", "bad_time", line(LEAD, occurred_at="2026-06-30T24:00:00Z")
    yield "currency in small letters", "bad_currency", line(LEAD, amount=1, currency="cny")
    yield "currency of four letters", "bad_currency", line(ORDER, currency="EURO")
    yield "beyond int64", "out_of_range", line(LEAD, source_seq=1 << 63)
    yield "negative source_seq", "out_of_range", line(LEAD, source_seq=-1)
    yield "far too much money", "out_of_range", line(LEAD, amount=10 ** 15 + 1, currency="CNY")
    yield "revision 0", "out_of_range", line(ORDER, revision=0)
    yield "beyond the pole", "out_of_range", line(VISIT, lat=90.0000001, lon=0)
    yield "a number of a thousand digits", "out_of_range", swapped(LEAD, b'"source_seq": 1', b'"source_seq": ' + b"9" * 1000)
    yield "257 bytes of reason", "too_many", line(LEAD, action="lost", reason="x" * 257)
    yield "33 attributes", "too_many", line(FACT, attrs={f"a{i}": "x" for i in range(33)})
    yield "101 splits", "too_many", line(ORDER, splits=[{"rep_id": f"r{i}", "ppm": 0} for i in range(101)])
    yield "5,001 lines", "too_many", line(ORDER, lines=[{"sku": "s", "qty": 1000, "net_amount": 0} for _ in range(5001)], net_amount=0)
    yield "before 1990", "time_past", line(LEAD, occurred_at="1989-12-31T23:59:59.999Z")
    yield "far future", "time_future", line(LEAD, occurred_at="9999-12-31T23:59:59.999Z")
    yield "25 hours ahead", "time_future", line(LEAD, occurred_at=in_hours(25))
    yield "recorded in the far future", "time_future", line(LEAD, recorded_at=in_hours(48))
    yield "splits of 99%", "bad_splits", line(ORDER, splits=[{"rep_id": "r1", "ppm": 990000}])
    yield "a rep twice", "bad_splits", line(ORDER, splits=[{"rep_id": "r1", "ppm": 500000}, {"rep_id": "r1", "ppm": 500000}])
    yield "lines that do not add up", "sum_mismatch", line(ORDER, lines=[{"sku": "s", "qty": 1000, "net_amount": 99}])
    yield "plan item with an unknown key", "plan_invalid", line(PLAN, spec={"kind": "team", "colour": "red"})
    yield "plan item with a wrong type", "plan_invalid", line(PLAN, kind="target", id="t", spec={
        "measure": "order_amount", "node": "n", "period": "2026-03", "value": "many", "tier": "base", "status": "approved"})
    yield "plan item with a bad filter", "plan_invalid", line(PLAN, kind="measure", id="m", spec={
        "from": "lead", "where": "action = = won", "value": "count"})
    yield "1 MiB and a byte", "too_large", line(LEAD) + b" " * (BYTES_MAX + 1 - len(line(LEAD)))
    yield "1 MiB and a byte of nothing", "too_large", b"x" * (BYTES_MAX + 1)
    yield "same event_id, other body", "conflict", line(LEAD, event_id="good-0", lead_id="other")


def avro_cases():
    """(name, reason, bytes) of single-object encoding and Confluent framing. No byte of them is a newline."""
    whole = oracle_avro.single("lead", LEAD)
    order = oracle_avro.single("order", {**ORDER, "splits": [{"rep_id": "r1", "ppm": 10 ** 6}], "lines": []})
    header = whole[:10]
    action = whole.index(b"\x08Lbad") + 5
    yield "Avro: only the mark", "bad_avro", b"\xc3\x01"
    yield "Avro: truncated header", "bad_avro", whole[:7]
    yield "Avro: header alone", "bad_avro", header
    yield "Avro: one byte short", "bad_avro", whole[:-1]
    yield "Avro: half of it", "bad_avro", whole[:len(whole) // 2]
    yield "Avro: trailing byte", "bad_avro", whole + b"\x00"
    yield "Avro: twice", "bad_avro", whole + whole[10:]
    yield "Avro: text of 2^62 bytes", "bad_avro", header + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f" + whole[11:]
    yield "Avro: text of minus one byte", "bad_avro", header + b"\x01" + whole[11:]
    yield "Avro: length that never ends", "bad_avro", header + b"\xff" * 40
    yield "Avro: a long of eleven bytes", "bad_avro", header + b"\x80" * 10 + b"\x01" + whole[11:]
    yield "Avro: enum out of range", "bad_avro", whole[:action] + b"\x7e" + whole[action + 1:]
    yield "Avro: enum below zero", "bad_avro", whole[:action] + b"\x01" + whole[action + 1:]
    yield "Avro: union out of range", "bad_avro", whole[:action + 1] + b"\x04" + whole[action + 2:]
    yield "Avro: union below zero", "bad_avro", whole[:action + 1] + b"\x01" + whole[action + 2:]
    splits = order.index(b"\x02\x04r1")
    yield "Avro: array of 2^62 items", "bad_avro", order[:splits] + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f" + order[splits + 1:]
    yield "Avro: array block of minus 2^63", "bad_avro", order[:splits] + b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + order[splits + 1:]
    yield "Avro: invalid UTF-8", "bad_utf8", whole.replace(b"Lbad", b"L\xff\xfed")
    yield "Avro: unknown schema", "unknown_schema", b"\xc3\x01" + bytes(range(1, 9)) + whole[11:]
    yield "Avro: ruined fingerprint of a schema", "unknown_schema", whole[:9] + bytes([whole[9] ^ 1]) + whole[10:]
    yield "Confluent framing, unknown id", "unknown_schema", b"\x00\x00\x00\x00\x07" + whole[10:]
    yield "Avro: e-mail as lead_id", "personal_id", oracle_avro.single("lead", {**LEAD, "lead_id": "lin.wei@example.com"})
    yield "Avro: far future", "time_future", oracle_avro.single("lead", {**LEAD, "occurred_at": "2099-01-01T00:00:00Z"})
    yield "Avro: before 1990", "time_past", oracle_avro.single("lead", {**LEAD, "occurred_at": "1969-12-31T00:00:00Z"})
    yield "Avro: money out of range", "out_of_range", oracle_avro.single("lead", {**LEAD, "amount": 10 ** 16, "currency": "CNY"})
    yield "Avro: empty id", "bad_id", oracle_avro.single("lead", {**LEAD, "lead_id": ""})
    yield "Avro: lines that do not add up", "sum_mismatch", oracle_avro.single("order", {
        **ORDER, "splits": [], "lines": [{"sku": "s", "product_group": None, "qty": 1, "unit_price": None, "list_price": None,
                                          "floor_price": None, "cost": None, "net_amount": 99}]})
    yield "Avro: same event_id, other body", "conflict", oracle_avro.single("lead", {**LEAD, "event_id": "good-0", "lead_id": "else"})


def topic_of(value):
    """Where a producer would send it; Avro orders go where orders go."""
    if value.startswith(b"\xc3\x01") and value[2:10] == oracle_avro.header("order")[2:]:
        return "sales.orders"
    found = re.search(rb'"type": ?"(\w+)"', value)
    return TOPICS.get(found.group(1).decode(), "sales.leads") if found else "sales.leads"


def good(number):
    """Every third one in Avro, so that both forms stand between the bad ones."""
    event = {**LEAD, "event_id": f"good-{number}", "lead_id": f"L{number}", "source_seq": number}
    return oracle_avro.single("lead", event) if number % 3 == 2 and b"\n" not in oracle_avro.single("lead", event) else line(event)


def murmur2(data):
    """As Java clients use it to choose a partition."""
    m, length = 0x5BD1E995, len(data)
    h = (0x9747B28C ^ length) & 0xFFFFFFFF
    whole = length // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & 0xFFFFFFFF
        k = (k ^ k >> 24) * m & 0xFFFFFFFF
        h = h * m & 0xFFFFFFFF ^ k
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & 0xFFFFFFFF
    h = (h ^ h >> 13) * m & 0xFFFFFFFF
    return (h ^ h >> 15) & 0x7FFFFFFF


class Feed:
    """Puts records into the raw topics of a Paceline, in order, and remembers where each went."""

    def __init__(self, paceline, folder):
        self.p, self.folder, self.files = paceline, folder, 0
        self.places = []  # (topic, partition, offset) of each record on Kafka, (file, line) on the folder log
        self.producer = None
        if paceline.kafka:
            import confluent_kafka
            self.producer = confluent_kafka.Producer({"bootstrap.servers": paceline.kafka.bootstrap, "message.max.bytes": 100000000,
                                                      "compression.type": "lz4", "max.in.flight.requests.per.connection": 1})

    def home(self, tenant=TENANT):
        return murmur2(tenant.encode()) % (self.p.shards or 1)

    def put(self, values, tenant=TENANT, partition=None):
        """values: bytes, or (topic, bytes)."""
        values = [v if isinstance(v, tuple) else (topic_of(v), v) for v in values]
        if self.producer is not None:  # an idle producer has length 0
            self.produce(values, tenant, self.home(tenant) if partition is None else partition)
        else:
            self.import_lines(values, tenant)

    def produce(self, values, tenant, partition):
        def delivered(error, message):
            assert error is None, error
            self.places.append((message.topic()[len(self.p.prefix):], message.partition(), message.offset()))
        for topic, value in values:
            self.producer.produce(self.p.prefix + topic, value, key=tenant.encode() if tenant else None, partition=partition, on_delivery=delivered)
            self.producer.flush(60)

    def import_lines(self, values, tenant):
        self.files += 1
        path = self.folder / f"feed-{self.files}.ndjson"
        path.write_bytes(b"\n".join(value for _, value in values) + b"\n")
        done = self.p.call("import", path, "--tenant", tenant, "--json", "--no-progress")
        assert done.returncode in (0, 1), done.stderr
        self.places += [(str(path), number + 1) for number in range(len(values))]


def rejects(paceline, *more):
    return [json.loads(text) for text in paceline.run("tail", "--rejects", "--from", "begin", "--once", *more).splitlines()]


def raw_of(row):
    assert ("raw" in row) != ("raw_base64" in row), row
    return row["raw"].encode() if "raw" in row else base64.b64decode(row["raw_base64"], validate=True)


def place_of(row, on_kafka):
    return (row["topic"], row["partition"], row["offset"]) if on_kafka else (row["file"], row["line"])


def accepted_ids(paceline):
    rows = [json.loads(text) for text in paceline.run("tail", "ledger", "--from", "begin", "--once").splitlines()]
    return [row["event"]["event_id"] for row in rows if row.get("event", {}).get("type") == "lead"]


def assert_conserved(paceline):
    ends = paceline.topic_ends()
    for source, counts in paceline.counters().items():
        assert counts["accepted"] + counts["duplicate"] + counts["rejected"] == ends[source], (source, counts, ends[source])


def assert_rejects_are(rows, expected, on_kafka):
    """expected: {place: (name, reason, bytes)}. Exactly these, each once, with its bytes, size, digest and origin."""
    seen = {}
    for row in rows:
        place = place_of(row, on_kafka)
        assert place not in seen, f"twice: {row}"
        seen[place] = row
    wrong = []
    for place, (name, reason, value) in expected.items():
        row = seen.pop(place, None)
        if row is None:
            wrong.append((name, "is not among the rejects"))
            continue
        if row["class"] != "rejected" or row["reason"] != reason:
            wrong.append((name, f"{row['reason']} ({row.get('field')}: {row['text']}), expected {reason}"))
        if raw_of(row) != value or row["bytes"] != len(value) or row["sha256"] != hashlib.sha256(value).hexdigest():
            wrong.append((name, "its bytes are others"))
        if not row["text"]:
            wrong.append((name, "no text says what is wrong"))
    assert wrong == []
    assert list(seen.values()) == []


def play_between_good_ones(paceline, tmp_path, cases):
    feed = Feed(paceline, tmp_path)
    values = [good(0)]
    for number, (_, _, value) in enumerate(cases):
        values += [value, good(number + 1)]
    feed.put(values)
    paceline.wait()
    places = feed.places[1::2]
    assert len(places) == len(cases)
    assert_rejects_are(rejects(paceline), dict(zip(places, cases)), bool(paceline.kafka))
    assert accepted_ids(paceline) == [f"good-{n}" for n in range(len(cases) + 1)]
    assert_conserved(paceline)
    counts = paceline.counters()
    assert sum(c["rejected"] for c in counts.values()) == len(cases)
    assert counts["sales.leads"]["accepted"] == len(cases) + 1
    assert sum(c["accepted"] for c in counts.values()) == len(cases) + 1


def test_bad_json_ends_in_the_rejects_and_the_stream_goes_on(paceline, tmp_path):
    cases = list(json_cases())
    assert len({value for _, _, value in cases}) == len(cases)
    play_between_good_ones(paceline, tmp_path, cases)


def test_bad_avro_ends_in_the_rejects_and_the_stream_goes_on(paceline, tmp_path):
    cases = list(avro_cases())
    if not paceline.kafka:
        assert [name for name, _, value in cases if b"\n" in value] == []
    play_between_good_ones(paceline, tmp_path, cases)


def test_a_line_of_one_mebibyte_is_taken(paceline, tmp_path):
    event = line(LEAD, event_id="good-0")
    Feed(paceline, tmp_path).put([event[:-1] + b" " * (BYTES_MAX - len(event)) + b"}", good(1)])
    paceline.wait()
    assert accepted_ids(paceline) == ["good-0", "good-1"]
    assert rejects(paceline) == []


@pytest.fixture
def on_kafka(paceline):
    if not paceline.kafka:
        pytest.skip("a folder log holds what `paceline import` sends: no newlines, right keys, right partitions")
    return paceline


def test_other_keys_and_partitions_than_the_tenants_are_refused(on_kafka, tmp_path):
    feed = Feed(on_kafka, tmp_path)
    home = feed.home()
    cases = [("another key", "wrong_tenant", line(LEAD)),
             ("another key, Avro", "wrong_tenant", oracle_avro.single("lead", LEAD)),
             ("another partition", "wrong_tenant", line(LEAD, lead_id="L2"))]
    feed.put([good(0)])
    feed.put([cases[0][2], cases[1][2]], tenant="beta")
    feed.put([good(1)])
    feed.put([cases[2][2]], partition=1 - home)
    feed.put([good(2)])
    on_kafka.wait()
    places = [feed.places[i] for i in (1, 2, 4)]
    assert_rejects_are(rejects(on_kafka), dict(zip(places, cases)), True)
    assert accepted_ids(on_kafka) == ["good-0", "good-1", "good-2"]
    assert_conserved(on_kafka)


def test_what_no_file_can_hold_is_refused_too(on_kafka, tmp_path):
    feed = Feed(on_kafka, tmp_path)
    cases = [("no bytes", "bad_json", b""), ("a newline", "bad_json", b"\n"), ("line feed within a text", "bad_json", swapped(LEAD, b"Lbad", b"L\nbad")),
             ("zero bytes", "unknown_schema", b"\x00" * 64), ("an order among the leads", "wrong_topic", line(ORDER)),
             ("an Avro order among the leads", "wrong_topic", oracle_avro.single("order", {**ORDER, "splits": [], "lines": []})),
             ("Avro with a newline in its length", "bad_avro", oracle_avro.header("lead") + b"\x0a\x0a")]
    feed.put([good(0), *[("sales.leads", value) for _, _, value in cases], good(1)])
    on_kafka.wait()
    assert_rejects_are(rejects(on_kafka), dict(zip(feed.places[1:-1], cases)), True)
    assert accepted_ids(on_kafka) == ["good-0", "good-1"]
    assert_conserved(on_kafka)


def test_a_record_far_beyond_the_limit_does_not_stop_the_shard(on_kafka, tmp_path):
    """Compressed it passes the broker's limit. Up to what a log takes in one value a reject keeps the bytes; beyond, it
    keeps origin, size and digest, and the bytes stand at their origin."""
    feed = Feed(on_kafka, tmp_path)
    large, huge = (line(LEAD)[:-1] + b" " * int(mebibytes * (1 << 20)) + b"}" for mebibytes in (1.9, 20))
    feed.put([good(0), large, good(1), huge, good(2)])
    on_kafka.wait()
    assert accepted_ids(on_kafka) == ["good-0", "good-1", "good-2"]
    kept, gone = rejects(on_kafka)
    for row, value, place in ((kept, large, feed.places[1]), (gone, huge, feed.places[3])):
        assert (row["reason"], row["bytes"], row["sha256"]) == ("too_large", len(value), hashlib.sha256(value).hexdigest())
        assert place_of(row, True) == place
        assert row["tenant"] == TENANT
    assert raw_of(kept) == large
    assert "raw" not in gone and "raw_base64" not in gone
    assert_conserved(on_kafka)
    done = on_kafka.call("rejects", "resend", "--json")
    assert done.returncode == 1 and json.loads(done.stdout) == {"matched": 2, "sent": 1}
    assert "bytes" in done.stderr


def test_records_without_key_are_refused_and_sent_again_under_their_tenant(on_kafka, tmp_path):
    feed = Feed(on_kafka, tmp_path)
    feed.put([("sales.leads", line(LEAD)), ("sales.leads", b"{")], tenant=None, partition=0)
    on_kafka.wait()
    assert [r["reason"] for r in rejects(on_kafka)] == ["wrong_tenant", "bad_json"]
    done = on_kafka.call("rejects", "resend", "--json")
    assert done.returncode == 1 and json.loads(done.stdout) == {"matched": 2, "sent": 1}
    assert "--tenant" in done.stderr
    on_kafka.wait()
    assert accepted_ids(on_kafka) == ["bad"]
    assert resend(on_kafka, "--tenant", TENANT) == (2, 2)
    assert [r.get("tenant") for r in rejects(on_kafka) if r["reason"] == "bad_json"].count(TENANT) == 1
    assert_conserved(on_kafka)


# ---- sent again after repair

def control(run, name, **more):
    return line({"type": "control", "tenant": TENANT, "event_id": f"{run}/{name}", "source": "import", "source_seq": 0,
                 "occurred_at": "2026-03-01T00:00:00.000Z", "control": f"backfill_{name}", "run_id": run}, **more)


def resend(paceline, *filters):
    counts = paceline.rows("rejects", "resend", *filters)[-1]
    paceline.wait()
    return counts["matched"], counts["sent"]


def test_what_came_during_an_import_is_accepted_after_its_end(paceline, tmp_path):
    feed = Feed(paceline, tmp_path)
    order, fact = line(ORDER, event_id="o"), line(FACT, event_id="f")
    feed.put([("sales.import", control("run-1", "begin"))])
    feed.put([good(0), order, fact])
    paceline.wait()
    assert sorted(r["reason"] for r in rejects(paceline)) == ["backfill_running"] * 3
    assert accepted_ids(paceline) == []
    # The run still stands: sent again they are refused again, and none is lost.
    assert resend(paceline) == (3, 3)
    assert len(rejects(paceline)) == 6 and accepted_ids(paceline) == []
    paceline.run("import", "--abort", "run-1", "--tenant", TENANT)
    assert resend(paceline, "--reason", "backfill_running") == (3, 3)
    assert accepted_ids(paceline) == ["good-0"]
    counts = paceline.counters()
    assert [counts[t]["accepted"] for t in ("sales.leads", "sales.orders", "sales.facts")] == [1, 1, 1]
    # Once more: now they are duplicates.
    assert resend(paceline) == (3, 3)
    counts = paceline.counters()
    assert [counts[t]["duplicate"] for t in ("sales.leads", "sales.orders", "sales.facts")] == [1, 1, 1]
    assert_conserved(paceline)


def test_history_that_came_too_late_enters_as_late_events_when_sent_again(paceline, tmp_path):
    feed = Feed(paceline, tmp_path)
    feed.put([good(0)])
    paceline.wait()
    past = [{**LEAD, "event_id": "past", "lead_id": "L0"}, {**ORDER, "event_id": "past-o"}, {**VISIT, "event_id": "past-v"},
            {**FACT, "event_id": "past-f"}, {**PLAN, "event_id": "past-p"}]
    history = harness.write_ndjson(tmp_path / "history.ndjson", past)
    done = paceline.call("import", history, "--as-lived", "--json", "--no-progress")
    assert done.returncode == 1
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["read"], summary["accepted"], summary["rejected"]) == (5, 0, 5)
    assert {r["reason"] for r in rejects(paceline)} == {"backfill_refused"}
    assert resend(paceline, "--reason", "backfill_refused", "--tenant", TENANT, "--origin", history) == (5, 5)
    assert accepted_ids(paceline) == ["good-0", "past"]
    counts = paceline.counters()
    assert {t: counts[t]["accepted"] for t in TOPICS.values()} == {"sales.leads": 2, "sales.orders": 1, "sales.visits": 1, "sales.facts": 1,
                                                                  "sales.plans": 1}
    assert_conserved(paceline)


def test_begin_and_end_of_a_refused_import_are_not_sent_again(paceline, tmp_path):
    feed = Feed(paceline, tmp_path)
    feed.put([good(0)])
    paceline.wait()
    history = harness.write_ndjson(tmp_path / "history.ndjson", [{**LEAD, "event_id": "past"}])
    paceline.run("import", history, "--as-lived", code=1)
    before = len(rejects(paceline))
    assert before == 3
    assert resend(paceline) == (1, 1)
    assert len(rejects(paceline)) == before
    assert accepted_ids(paceline) == ["good-0", "past"]


def test_a_record_under_a_wrong_key_or_partition_is_accepted_when_sent_again(on_kafka, tmp_path):
    feed = Feed(on_kafka, tmp_path)
    feed.put([good(0)], tenant="beta")
    feed.put([good(1)], partition=1 - feed.home())
    on_kafka.wait()
    assert [r["reason"] for r in rejects(on_kafka)] == ["wrong_tenant"] * 2
    assert resend(on_kafka) == (2, 2)
    assert sorted(accepted_ids(on_kafka)) == ["good-0", "good-1"]
    assert_conserved(on_kafka)


def test_what_is_still_bad_stays_among_the_rejects_however_often_it_is_sent(paceline, tmp_path):
    feed = Feed(paceline, tmp_path)
    values = [line(LEAD)[:-9], b"\xff\xfe", oracle_avro.single("lead", LEAD)[:-1], b"\xc3\x01" + b"12345678" + b"body", line(LEAD, action="?"),
              b"x" * (BYTES_MAX + 1)]
    reasons = ["bad_json", "bad_utf8", "bad_avro", "unknown_schema", "bad_enum", "too_large"]
    feed.put([good(0), *values, good(1)])
    paceline.wait()
    for again in range(1, 4):
        assert resend(paceline) == (len(values), len(values))
        rows = rejects(paceline)
        assert len(rows) == len(values) * (again + 1), "one more of each, not twice as many"
        assert sorted(map(raw_of, rows)) == sorted(values * (again + 1))
        assert sorted(r["reason"] for r in rows) == sorted(reasons * (again + 1))
    assert accepted_ids(paceline) == ["good-0", "good-1"]
    assert_conserved(paceline)


def test_filters_choose_what_is_sent_again(paceline, tmp_path):
    first = tmp_path / "first.ndjson"
    second = tmp_path / "second.ndjson"
    first.write_bytes(line(LEAD, action="?") + b"\n" + line(LEAD, amount="1") + b"\n")
    second.write_bytes(line(LEAD, action="??") + b"\n" + line(LEAD, tenant="beta", action="?") + b"\n")
    paceline.run("import", first, "--tenant", TENANT, code=1)
    paceline.run("import", second, "--tenant", TENANT, code=1)

    def matched(*filters):
        counts = paceline.rows("rejects", "resend", "--dry-run", *filters)[-1]
        assert counts["sent"] == 0
        return counts["matched"]

    assert matched() == 4
    assert matched("--reason", "bad_enum") == 3
    assert matched("--reason", "bad_enum", "--tenant", "beta") == 1
    assert matched("--tenant", "beta") == 1
    assert matched("--tenant", "gamma") == 0
    assert matched("--origin", first) == 2
    assert matched("--origin", f"{first}:2") == 1
    assert matched("--origin", f"{first}:3") == 0
    paceline.run("rejects", "resend", "--reason", "no_such_reason", code=2)
    assert len(rejects(paceline)) == 4


def test_a_long_path_is_kept_as_origin(paceline, tmp_path):
    folder = tmp_path / ("a" * 200) / ("客" * 60)
    folder.mkdir(parents=True)
    path = folder / "events.ndjson"
    path.write_bytes(line(LEAD, action="?") + b"\n")
    paceline.run("import", path, "--tenant", TENANT, code=1)
    (row,) = rejects(paceline)
    assert place_of(row, False) == (str(path), 1)
    assert resend(paceline, "--origin", f"{path}:1") == (1, 1)
    assert [place_of(r, False) for r in rejects(paceline)] == [(str(path), 1)] * 2


def test_rejects_of_one_tenant_are_listed_alone(paceline, tmp_path):
    Feed(paceline, tmp_path).put([line(LEAD, action="?")])
    Feed(paceline, tmp_path / "").put([line(LEAD, tenant="beta", action="?")], tenant="beta")
    paceline.wait()
    assert [r["tenant"] for r in rejects(paceline, "--tenant", "beta")] == ["beta"]


# ---- told by the import itself

def test_import_counts_what_the_ledger_says_and_names_the_lines(paceline, tmp_path):
    cases = [c for c in json_cases()]
    path = tmp_path / "mixed.ndjson"
    path.write_bytes(good(0) + b"\n" + b"\n".join(value for _, _, value in cases) + b"\n" + good(0) + b"\n" + good(1))
    done = paceline.call("import", path, "--tenant", TENANT, "--json", "--no-progress")
    assert done.returncode == 1
    *told, summary = [json.loads(text) for text in done.stdout.splitlines()]
    assert {(t["line"], t["reason"]) for t in told} == {(n + 2, reason) for n, (_, reason, _) in enumerate(cases)}
    assert (summary["read"], summary["accepted"], summary["duplicate"], summary["rejected"]) == (len(cases) + 3, 2, 1, len(cases))


def test_check_events_and_the_dry_run_say_the_same_as_the_ledger(paceline, tmp_path):
    cases = list(json_cases())
    path = tmp_path / "mixed.ndjson"
    path.write_bytes(good(0) + b"\n" + b"\n".join(value for _, _, value in cases) + b"\n")
    dry = paceline.call("import", path, "--tenant", TENANT, "--json", "--no-progress", "--dry-run")
    assert dry.returncode == 1
    *told, summary = [json.loads(text) for text in dry.stdout.splitlines()]
    expected = {(n + 2, reason) for n, (_, reason, _) in enumerate(cases)}
    assert {(t["line"], t["reason"]) for t in told} == expected
    assert (summary["accepted"], summary["rejected"]) == (1, len(cases))
    checked = paceline.call("check", "events", path, "--json")
    assert checked.returncode == 1
    found = [json.loads(text) for text in checked.stdout.splitlines()]
    assert {(f["line"], f["reason"]) for f in found if "reason" in f} == expected


def test_as_lived_what_cannot_be_read_is_refused_first_and_the_rest_is_taken(paceline, tmp_path):
    path = tmp_path / "lived.ndjson"
    bad = [line(LEAD)[:-9], b"\xff", line(ORDER, revision=0), oracle_avro.single("lead", LEAD)[:-1]]
    path.write_bytes(b"\n".join([good(1), bad[0], bad[1], good(0), bad[2], bad[3]]) + b"\n")
    done = paceline.call("import", path, "--tenant", TENANT, "--as-lived", "--json", "--no-progress")
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["accepted"], summary["rejected"]) == (2, 4)
    rows = rejects(paceline)
    assert [r["topic"] for r in rows] == ["sales.import"] * 4
    assert [(r["line"], r["reason"]) for r in rows] == [(2, "bad_json"), (3, "bad_utf8"), (5, "out_of_range"), (6, "bad_avro")]
    assert [raw_of(r) for r in rows] == bad
    assert accepted_ids(paceline) == ["good-0", "good-1"]
    assert_conserved(paceline)
