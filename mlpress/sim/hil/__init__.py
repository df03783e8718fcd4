"""Devices on a serial line: the host's side of ``docs/hil.md``, and devices of our own at the other end.

``open_line`` of a :class:`PtyDevice`, or a :class:`SerialLine`, is what a :class:`Client` talks through.
"""

from mlpress.sim.hil.bridge import Bridge, Reply
from mlpress.sim.hil.client import Asked, Client, Faults
from mlpress.sim.hil.frames import Answer, Hello, Message, Shape, check, decode, encode
from mlpress.sim.hil.line import Line, LineError, NoisyLine, SerialLine, parse_port
from mlpress.sim.hil.pty import PtyDevice
from mlpress.sim.hil.sensors import Adc, Missing, Noise, Sensor, distort, read_sensor

__all__ = [
    "Adc",
    "Answer",
    "Asked",
    "Bridge",
    "Client",
    "Faults",
    "Hello",
    "Line",
    "LineError",
    "Message",
    "Missing",
    "Noise",
    "NoisyLine",
    "PtyDevice",
    "Reply",
    "Sensor",
    "SerialLine",
    "Shape",
    "check",
    "decode",
    "distort",
    "encode",
    "parse_port",
    "read_sensor",
]
