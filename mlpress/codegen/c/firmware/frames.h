/* Frames on a serial line: COBS between zeros, a sum and a CRC at the end (docs/hil.md). */
#ifndef MLPRESS_FRAMES_H
#define MLPRESS_FRAMES_H

#include <stdint.h>

#include "board.h"

/* The frame that was received, or that is to be sent; FRAME_MOST is defined before this file is included. */
static uint8_t frame[FRAME_MOST];

/* CRC-16/IBM-3740: polynomial 0x1021, the highest bit first, started with 0xFFFF. */
static uint16_t frame_crc(uint16_t crc, uint8_t byte)
{
    const uint16_t high = (uint16_t)((crc >> 8) ^ byte);
    const uint16_t x = (uint16_t)(high ^ (high >> 4));
    return (uint16_t)((uint16_t)(crc << 8) ^ (uint16_t)(x << 12) ^ (uint16_t)(x << 5) ^ x);
}

/* Writes the check of frame[0] to frame[count - 1] into check: two sums modulo 256, then the CRC of all before it. */
static void frame_check(uint16_t count, uint8_t check[4])
{
    uint16_t crc = 0xFFFFu;
    uint16_t k;
    check[0] = 0u;
    check[1] = 0u;
    for (k = 0u; k < count; ++k) {
        check[0] = (uint8_t)(check[0] + frame[k]);
        check[1] = (uint8_t)(check[1] + check[0]);
        crc = frame_crc(crc, frame[k]);
    }
    crc = frame_crc(frame_crc(crc, check[0]), check[1]);
    check[2] = (uint8_t)(crc & 0xFFu);
    check[3] = (uint8_t)(crc >> 8);
}

/* Waits for a frame; returns its bytes without the check, or 0 where it is damaged or too long. */
static uint16_t frame_receive(void)
{
    uint8_t check[4];
    uint16_t count = 0u;
    uint8_t left = 0u;   /* bytes of the group that are still to come */
    uint8_t zero = 0u;   /* whether a zero stands before the next group */
    uint8_t begun = 0u;
    uint8_t sound = 1u;
    for (;;) {
        uint8_t byte = board_read();
        if (byte == 0u) {
            if (begun != 0u) {
                break;
            }
            continue;
        }
        begun = 1u;
        if (left == 0u) {
            const uint8_t owed = zero;
            left = (uint8_t)(byte - 1u);
            zero = (byte != 0xFFu) ? 1u : 0u;
            if (owed == 0u) {
                continue;
            }
            byte = 0u;
        } else {
            --left;
        }
        if (count < (uint16_t)FRAME_MOST) {
            frame[count] = byte;
            ++count;
        } else {
            sound = 0u;
        }
    }
    if ((sound == 0u) || (left != 0u) || (count < 5u)) {
        return 0u;
    }
    count = (uint16_t)(count - 4u);
    frame_check(count, check);
    for (left = 0u; left < 4u; ++left) {
        if (check[left] != frame[count + left]) {
            return 0u;
        }
    }
    return count;
}

/* Sends frame[0] to frame[count - 1] with their check; count is at most FRAME_MOST - 4. */
static void frame_send(uint16_t count)
{
    uint8_t check[4];
    uint16_t end = (uint16_t)(count + 4u);
    uint16_t at = 0u;
    uint8_t k;
    frame_check(count, check);
    for (k = 0u; k < 4u; ++k) {
        frame[count + k] = check[k];
    }
    board_write(0u);
    for (;;) {
        uint8_t run = 0u;
        while ((run < 254u) && ((uint16_t)(at + run) < end) && (frame[at + run] != 0u)) {
            ++run;
        }
        board_write((uint8_t)(run + 1u));
        for (k = 0u; k < run; ++k) {
            board_write(frame[at + k]);
        }
        at = (uint16_t)(at + run);
        if (at == end) {
            break;
        }
        if (run != 254u) {
            ++at;
        }
    }
    board_write(0u);
}

#endif
