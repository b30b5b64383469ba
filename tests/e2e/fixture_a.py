"""Fixture A of the semantics (section 3): ten leads, 24 days, and the figures it must give, written by hand."""
import datetime

D1 = datetime.datetime(2026, 3, 6, tzinfo=datetime.timezone.utc)
TENANT = "fixture"

PLAN = """\
paceline_plan: 1
valid_from: 2026-01-01
reason: fixture
approver: tester
tenant: {id: fixture, zone: UTC, currency: CNY, calendar: always, pipeline: default}
calendars:
- {id: always, zone: UTC, day_hours: 24h, week: {mon-sun: ["00:00-24:00"]}}
org:
- {id: N, kind: region}
- {id: T1, kind: team, parent: N}
- {id: T2, kind: team, parent: N}
members:
- {rep: r1, node: T1, from: 2026-01-01}
- {rep: r2, node: T2, from: 2026-01-01}
stage_models:
- pipeline: default
  calendar: always
  stages:
  - {id: NEW, ord: 10, kind: open, max_dwell: 10wd, idle: "off"}
  - {id: QUAL, ord: 20, kind: open, max_dwell: 10wd, idle: "off"}
  - {id: PROP, ord: 30, kind: open, max_dwell: 10wd, idle: "off"}
  - {id: NEGO, ord: 40, kind: open, max_dwell: 10wd, idle: "off"}
  - {id: WON, kind: won}
  - {id: LOST, kind: lost}
  - {id: POOL, kind: pool}
"""

PATHS = """\
L01 NEW1 QUAL3 PROP7 NEGO12 WON15
L02 NEW1 QUAL4 LOST9
L03 NEW2 QUAL5 PROP10 LOST20
L04 NEW2 POOL6 NEW16 QUAL18
L05 NEW3 PROP8 NEGO11 PROP14 NEGO18 WON22
L06 NEW4 QUAL8
L07 NEW5
L08 QUAL6 PROP9
L09 NEW8 QUAL9 PROP13 NEGO17
L10 NEW10 LOST12"""

ACTIONS = {"WON": "won", "LOST": "lost", "POOL": "recycled"}


def day(n):
    """00:00 of day n (d1 = 2026-03-06)."""
    return D1 + datetime.timedelta(days=n - 1)


def text(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def lead_event(lead, number, action, at, **fields):
    return {"type": "lead", "tenant": TENANT, "event_id": f"{lead}-{number}", "source": "crm", "source_seq": number,
            "occurred_at": text(at), "lead_id": lead, "action": action, **fields}


def events(owner="r1"):
    """All stage moves in time order, then a visit at d24 that only moves the clock."""
    out = []
    for line in PATHS.split("\n"):
        lead, *moves = line.split()
        for number, move in enumerate(moves):
            stage = move.rstrip("0123456789")
            at = day(int(move[len(stage):]))
            if number == 0:
                out.append((at, lead_event(lead, number, "created", at, to_stage=stage, owner_id=owner)))
            else:
                reclaim = lead == "L04" and stage == "NEW"
                action = "claimed" if reclaim else ACTIONS.get(stage, "stage")
                out.append((at, lead_event(lead, number, action, at, to_stage=stage)))
    out.sort(key=lambda pair: pair[0])
    return [event for _, event in out] + [clock(24)]


def clock(n):
    """Moves T to 00:00 of day n: a visit that touches no lead."""
    return {"type": "visit", "tenant": TENANT, "event_id": f"clock-{n}", "source": "crm", "source_seq": 1000 + n, "occurred_at": text(day(n)),
            "visit_id": f"clock-{n}", "kind": "field", "phase": "checkout"}


def late_event():
    """L07 NEW -> QUAL on d9, heard of on d24."""
    event = lead_event("L07", 1, "stage", day(9), to_stage="QUAL")
    event["recorded_at"] = text(day(24))
    return event


# stage: E, {class: X}, O, reached, (F, F + Lo + Re), (E next, E)
EXPECTED = {
    "NEW": (10, {"advance": 6, "skip": 1, "lose": 1, "recycle": 1}, 1, 11, (7, 9), (7, 10)),
    "QUAL": (7, {"advance": 4, "lose": 1}, 2, 8, (4, 5), (6, 7)),
    "PROP": (6, {"advance": 4, "lose": 1}, 1, 5, (4, 5), (4, 6)),
    "NEGO": (4, {"regress": 1, "win": 2}, 1, 3, (2, 2), None),
    "WON": (2, {}, 2, None, None, None),
    "LOST": (3, {}, 3, None, None, None),
    "POOL": (1, {"reclaim": 1}, 0, None, None, None),
}


def ppm(pair):
    """ratio(a, b) in ppm, half-even."""
    a, b = pair
    quotient, rest = divmod(a * 10**6, b)
    if 2 * rest > b or (2 * rest == b and quotient % 2):
        quotient += 1
    return quotient
