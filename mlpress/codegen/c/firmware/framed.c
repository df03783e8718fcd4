/* The firmware of the framed protocol of docs/hil.md: rows in, classes, scores and cycles out. */
#include "firmware.h"

#define HELLO 0x01u
#define ROW 0x02u
#define REPLY 0x80u
#define REFUSED 0xFFu

#define DAMAGED 1u
#define UNKNOWN 2u
#define WRONG_LENGTH 3u

#define HEAD 3u
#define ROW_BYTES (FIRMWARE_INPUTS * FIRMWARE_CODE_BYTES)
#define ROW_REPLY_BYTES (8u + (FIRMWARE_SCORES * FIRMWARE_SCORE_BYTES))
#define HELLO_BYTES 23u
#define LARGER(a, b) (((a) > (b)) ? (a) : (b))
#define FRAME_MOST (HEAD + 4u + LARGER(LARGER(ROW_BYTES, ROW_REPLY_BYTES), HELLO_BYTES))
#include "frames.h"

static uint16_t boot;
static uint16_t length;

static void start_reply(uint8_t type)
{
    frame[0] = type;
    length = HEAD;
}

static void add(uint32_t value, uint8_t bytes)
{
    while (bytes != 0u) {
        frame[length] = (uint8_t)(value & 0xFFu);
        ++length;
        value >>= 8;
        --bytes;
    }
}

static void hello(void)
{
    static const uint8_t hash[8] = FIRMWARE_HASH;
    uint8_t k;
    start_reply(HELLO | REPLY);
    add(FIRMWARE_PROTOCOL, 1u);
    add(boot, 2u);
    for (k = 0u; k < 8u; ++k) {
        add(hash[k], 1u);
    }
    add(FIRMWARE_INPUTS, 2u);
    add(FIRMWARE_CODE_BYTES, 1u);
    add(FIRMWARE_CLASSES, 2u);
    add(FIRMWARE_SCORES, 2u);
    add(FIRMWARE_SCORE_BYTES, 1u);
    add(board_hz(), 4u);
    frame_send(length);
}

static void refuse(uint8_t why)
{
    start_reply(REFUSED);
    add(why, 1u);
    frame_send(length);
}

static void answer(void)
{
    firmware_row row;
    uint32_t cycles;
    uint16_t found = 0xFFFFu;
#if FIRMWARE_SCORES > 0
    static firmware_score scores[FIRMWARE_SCORES];
    uint16_t k;
#endif
    row = firmware_row_of(&frame[HEAD]);
    cycles = board_cycles();
#if FIRMWARE_CLASSES > 0
    found = (uint16_t)FIRMWARE_PREDICT(row);
#else
    FIRMWARE_GIVE_SCORES(row, scores);
#endif
    cycles = board_cycles() - cycles;
#if (FIRMWARE_CLASSES > 0) && (FIRMWARE_SCORES > 0)
    FIRMWARE_GIVE_SCORES(row, scores);
#endif
    start_reply(ROW | REPLY);
    add(boot, 2u);
    add(found, 2u);
    add(cycles, 4u);
#if FIRMWARE_SCORES > 0
    for (k = 0u; k < FIRMWARE_SCORES; ++k) {
        add((uint32_t)((uint64_t)scores[k] & 0xFFFFFFFFu), 4u);
#if FIRMWARE_SCORE_BYTES == 8u
        add((uint32_t)((uint64_t)scores[k] >> 32), 4u);
#endif
    }
#endif
    frame_send(length);
}

int main(void)
{
    board_start();
    boot = board_boot();
    frame[1] = 0u;
    frame[2] = 0u;
    hello();
    for (;;) {
        const uint16_t bytes = frame_receive();
        if (bytes < HEAD) {
            frame[1] = 0u;
            frame[2] = 0u;
            refuse(DAMAGED);
        } else if ((frame[0] == HELLO) && (bytes == HEAD)) {
            hello();
        } else if ((frame[0] == ROW) && (bytes == (HEAD + ROW_BYTES))) {
            answer();
        } else {
            refuse(((frame[0] == HELLO) || (frame[0] == ROW)) ? WRONG_LENGTH : UNKNOWN);
        }
    }
}
