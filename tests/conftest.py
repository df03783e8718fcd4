"""What all tests share: an interrupt reaches the processes that they start.

A shell has its background jobs ignore SIGINT, and their children inherit that.
"""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
