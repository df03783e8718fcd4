"""What all tests share: signals reach the processes that they start.

A shell has its background jobs ignore SIGINT, ``nohup`` has its own ignore SIGHUP, and their children inherit that.
"""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
