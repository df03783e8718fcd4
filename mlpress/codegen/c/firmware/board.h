/* What a board gives the firmware: write these functions for yours (docs/hil.md has an example). */
#ifndef MLPRESS_BOARD_H
#define MLPRESS_BOARD_H

#include <stdint.h>

/* Starts the clock, the serial line and the cycle counter. */
void board_start(void);

/* Waits for the next byte of the serial line and returns it. */
uint8_t board_read(void);

/* Sends a byte, or keeps it to be sent; nothing may be lost. */
void board_write(uint8_t byte);

/* Processor cycles since any moment, modulo 2^32; a slower timer is multiplied by its prescaler. */
uint32_t board_cycles(void);

/* Processor cycles per second. */
uint32_t board_hz(void);

/* Another number after every reset: a counter in memory that a reset leaves alone, or noise. Framed protocol only. */
uint16_t board_boot(void);

/* Microseconds since the start. Protocol of MLPerf Tiny only. */
uint64_t board_microseconds(void);

#endif
