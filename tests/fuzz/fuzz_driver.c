/* fuzz_driver.c -- replays a corpus without libFuzzer: every file of every folder named, once. Prints the count; an
 * empty folder is an error, because a test that looked at nothing has shown nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_BYTES = 4096, FILE_BYTES_MAX = 4 * 1024 * 1024 };

/* Exactly as many bytes on the heap as the input has, so that a sanitizer sees the first one beyond. */
static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return -1;
    long size = ftell(file);
    uint8_t *data = size >= 0 && size <= FILE_BYTES_MAX ? malloc((size_t)size + (size == 0)) : NULL;
    rewind(file);
    int result = data && fread(data, 1, (size_t)size, file) == (size_t)size ? 0 : -1;
    if (result == 0)
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    (void)fclose(file);
    return result;
}

static long replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    long count = 0;
    if (!dir)
        return -1;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char path[PATH_BYTES];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (replay(path) != 0) {
            fprintf(stderr, "%s cannot be read\n", path);
            count = -1;
            break;
        }
        count++;
    }
    (void)closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        long count = replay_folder(argv[i]);
        printf("%s: %ld inputs replayed\n", argv[i], count);
        failed |= count <= 0;
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
