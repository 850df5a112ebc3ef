"""The exit codes: 1 a fault of the machine or of Mora, 2 the person's mistake, 3 waiting, 130 interrupted."""

BUG, MISTAKE, WAITING, INTERRUPTED = 1, 2, 3, 130
