/* The firmware of the ASCII protocol that the runner of MLPerf Tiny speaks (docs/hil.md). */
#include "board.h"
#include "firmware.h"

#define ROW_BYTES (FIRMWARE_INPUTS * FIRMWARE_CODE_BYTES)
#define COMMAND_MOST 96u
#define DEFAULT_WARMUPS 10u
#define DEFAULT_PRINTED 16u

static char command[COMMAND_MOST + 1u];
static uint16_t at;     /* the place in command that is read next */
static uint8_t row[ROW_BYTES];
static uint16_t loaded; /* bytes of row that were loaded */
static uint16_t expected;
static int found;
#if FIRMWARE_SHOWS_SCORES
static firmware_score scores[FIRMWARE_SCORES];
#endif

static void put(const char *text)
{
    while (*text != '\0') {
        board_write((uint8_t)*text);
        ++text;
    }
}

static void put_line(const char *text)
{
    put(text);
    put("\r\n");
}

/* Writes a number in decimal, by subtraction: no core needs a library for that. */
static void put_number(uint64_t value)
{
    static const uint64_t powers[20] = {
        10000000000000000000u, 1000000000000000000u, 100000000000000000u, 10000000000000000u, 1000000000000000u,
        100000000000000u, 10000000000000u, 1000000000000u, 100000000000u, 10000000000u, 1000000000u, 100000000u,
        10000000u, 1000000u, 100000u, 10000u, 1000u, 100u, 10u, 1u,
    };
    uint8_t begun = 0u;
    uint8_t k;
    for (k = 0u; k < 20u; ++k) {
        uint8_t digit = (uint8_t)'0';
        while (value >= powers[k]) {
            value -= powers[k];
            ++digit;
            begun = 1u;
        }
        if ((begun != 0u) || (k == 19u)) {
            board_write(digit);
        }
    }
}

static void put_hex(uint8_t value)
{
    static const char digits[] = "0123456789abcdef";
    board_write((uint8_t)digits[value >> 4]);
    board_write((uint8_t)digits[value & 15u]);
}

static void put_time(void)
{
    put("m-lap-us-");
    put_number(board_microseconds());
    put("\r\n");
}

/* Reads the next word if it is this one, and says whether it was. */
static int is_word(const char *word)
{
    uint16_t place = at;
    while (*word != '\0') {
        if (command[place] != *word) {
            return 0;
        }
        ++place;
        ++word;
    }
    if ((command[place] != '\0') && (command[place] != ' ')) {
        return 0;
    }
    while (command[place] == ' ') {
        ++place;
    }
    at = place;
    return 1;
}

/* Reads a decimal number; returns -1, and reads nothing, where there is none of at most 65535. */
static int32_t read_number(void)
{
    const uint16_t start = at;
    int32_t value = -1;
    while ((command[at] >= '0') && (command[at] <= '9')) {
        const int32_t known = (value < 0) ? 0 : value;
        value = (known << 3) + (known << 1) + (int32_t)(command[at] - '0');
        if (value > 65535) {
            at = start;
            return -1;
        }
        ++at;
    }
    while (command[at] == ' ') {
        ++at;
    }
    return value;
}

static int hex_digit(char c)
{
    if ((c >= '0') && (c <= '9')) {
        return c - '0';
    }
    if ((c >= 'a') && (c <= 'f')) {
        return (c - 'a') + 10;
    }
    return ((c >= 'A') && (c <= 'F')) ? ((c - 'A') + 10) : -1;
}

static void infer(void)
{
    const firmware_row codes = firmware_row_of(row);
#if FIRMWARE_CLASSES > 0
    found = FIRMWARE_PREDICT(codes);
#else
    FIRMWARE_GIVE_SCORES(codes, scores);
#endif
}

/* One number for each class, of which the largest is that of the class that was found; or the scores. */
static void put_results(void)
{
    uint16_t k;
#if FIRMWARE_SHOWS_SCORES
    const uint16_t count = FIRMWARE_SCORES;
    FIRMWARE_GIVE_SCORES(firmware_row_of(row), scores);
#else
    const uint16_t count = FIRMWARE_CLASSES;
    infer();
#endif
    put("m-results-[");
    for (k = 0u; k < count; ++k) {
        if (k != 0u) {
            put(",");
        }
#if FIRMWARE_SHOWS_SCORES
        if (scores[k] < 0) {
            put("-");
            put_number(0u - (uint64_t)scores[k]);
        } else {
            put_number((uint64_t)scores[k]);
        }
#else
        put((found == (int)k) ? "1" : "0");
#endif
    }
    put_line("]");
}

/* Says whether a whole row was loaded; complains where none was. */
static int is_loaded(void)
{
    if (loaded == ROW_BYTES) {
        return 1;
    }
    put_line("e-[load a row first]");
    return 0;
}

static void run_infer(void)
{
    const int32_t given = read_number();
    const int32_t warm = read_number();
    uint16_t count = (given < 0) ? 1u : (uint16_t)given;
    uint16_t warmups = (warm < 0) ? DEFAULT_WARMUPS : (uint16_t)warm;
    if ((count == 0u) || (command[at] != '\0')) {
        put_line("e-[infer takes iterations of 1 to 65535, and warm-ups of 0 to 65535]");
        return;
    }
    if (is_loaded() == 0) {
        return;
    }
    put("m-warmup-start-");
    put_number(warmups);
    put("\r\n");
    while (warmups != 0u) {
        infer();
        --warmups;
    }
    put_line("m-warmup-done");
    put("m-infer-start-");
    put_number(count);
    put("\r\n");
    put_time();
    while (count != 0u) {
        infer();
        --count;
    }
    put_time();
    put_line("m-infer-done");
    put_results();
}

static void load_bytes(void)
{
    if (expected == 0u) {
        put_line("e-[db load comes first]");
        return;
    }
    while (command[at] != '\0') {
        const int high = hex_digit(command[at]);
        const int low = (high < 0) ? -1 : hex_digit(command[at + 1u]);
        if (low < 0) {
            put_line("e-[db takes pairs of hexadecimal digits]");
            return;
        }
        at = (uint16_t)(at + 2u);
        if (loaded < expected) {
            row[loaded] = (uint8_t)((high << 4) | low);
            ++loaded;
            if (loaded == expected) {
                put_line("m-load-done");
            }
        }
    }
}

static void print_bytes(void)
{
    const int32_t given = read_number();
    const int32_t offset = read_number();
    uint16_t k = (offset < 0) ? 0u : (uint16_t)offset;
    uint16_t left = (given < 0) ? DEFAULT_PRINTED : (uint16_t)given;
    put("m-buffer-");
    while ((left != 0u) && (k < loaded)) {
        put_hex(row[k]);
        ++k;
        --left;
        if ((left != 0u) && (k < loaded)) {
            put("-");
        }
    }
    put("\r\n");
}

static void run_db(void)
{
    if (is_word("load") != 0) {
        const int32_t bytes = read_number();
        if (bytes != (int32_t)ROW_BYTES) {
            put("e-[a row of this model has ");
            put_number(ROW_BYTES);
            put_line(" bytes]");
            return;
        }
        expected = (uint16_t)ROW_BYTES;
        loaded = 0u;
        put("m-[Expecting ");
        put_number(ROW_BYTES);
        put_line(" bytes]");
    } else if (is_word("print") != 0) {
        print_bytes();
    } else {
        load_bytes();
    }
}

static void help(void)
{
    put_line("name          the name of the device");
    put_line("timestamp     the time");
    put_line("profile       profile and model");
    put_line("db load N     begin a row of N bytes");
    put_line("db HEX        its next bytes");
    put_line("db print [N=16] [OFFSET=0]");
    put_line("infer [N=1] [WARMUPS=10]");
    put_line("results       one number for each class");
}

static void run_command(void)
{
    at = 0u;
    if (is_word("name") != 0) {
        put_line("m-name-dut-[" FIRMWARE_NAME "]");
    } else if (is_word("timestamp") != 0) {
        put_time();
    } else if (is_word("profile") != 0) {
        put_line("m-profile-[mlpress firmware 1]");
        put_line("m-model-[" FIRMWARE_NAME "]");
    } else if (is_word("help") != 0) {
        help();
    } else if (is_word("db") != 0) {
        run_db();
    } else if (is_word("infer") != 0) {
        run_infer();
    } else if (is_word("results") != 0) {
        if (is_loaded() != 0) {
            put_results();
        }
    } else {
        put("e-[unknown command: ");
        put(command);
        put_line("]");
    }
}

int main(void)
{
    board_start();
    put_line("m-timestamp-mode-performance");
    put_line("m-init-done");
    put_line("m-ready");
    for (;;) {
        uint16_t length = 0u;
        char c = (char)board_read();
        while (c != '%') {
            if ((length < (uint16_t)(COMMAND_MOST + 1u)) && (c >= ' ') && (c <= '~')) {
                if (length < COMMAND_MOST) {
                    command[length] = c;
                }
                ++length;
            }
            c = (char)board_read();
        }
        if (length > COMMAND_MOST) {
            put_line("e-[the command is too long]");
        } else {
            command[length] = '\0';
            run_command();
        }
        put_line("m-ready");
    }
}
