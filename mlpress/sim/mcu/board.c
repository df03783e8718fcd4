/* The emulated board: registers that the emulator answers, a word each. */
#include "board.h"

#define REGISTER(k) (*(volatile uint32_t *)(0x40000000u + (4u * (k))))

void board_start(void)
{
}

uint8_t board_read(void)
{
    return (uint8_t)REGISTER(0u);
}

void board_write(uint8_t byte)
{
    REGISTER(0u) = byte;
}

uint32_t board_cycles(void)
{
    return REGISTER(1u);
}

uint32_t board_hz(void)
{
    return REGISTER(2u);
}

uint16_t board_boot(void)
{
    return (uint16_t)REGISTER(3u);
}

uint64_t board_microseconds(void)
{
    const uint32_t low = REGISTER(4u);
    return ((uint64_t)REGISTER(5u) << 32) | low;
}
