"""Numbers published by Shen et al., for comparison; nothing here is computed."""

from __future__ import annotations

#: The systems of figure 2.
SYSTEMS = (2, 3, 6, 10, 15, 20)

#: Figure 6 (b): mean raw first moment of 10 patterns [pixels] for n from 2 to 20, from the data
#: that the authors published with the figure.
FIRST_MOMENT = {
    2: 61.51,
    3: 61.40,
    4: 61.13,
    5: 60.90,
    6: 61.04,
    7: 60.82,
    8: 60.83,
    9: 60.13,
    10: 60.25,
    11: 60.14,
    12: 60.01,
    13: 59.94,
    14: 59.42,
    15: 59.77,
    16: 59.57,
    17: 59.74,
    18: 59.20,
    19: 59.22,
    20: 58.98,
}

#: Figure 6 (e): the first and the last mean absolute moment [pixels], from the same data.
ABSOLUTE = {2: 131.0, 20: 129.8}

#: Table 1: precision, recall and F1 of the polydisperse system by number of disks.
TABLE_1 = {
    2: (1, 1, 1),
    3: (1, 1, 1),
    4: (1, 0.99, 0.99),
    5: (1, 1, 1),
    6: (0.98, 1, 0.99),
    7: (1, 0.99, 0.99),
    8: (0.99, 1, 1),
    9: (1, 0.99, 0.99),
    10: (1, 1, 1),
    11: (0.99, 1, 1),
    12: (0.98, 1, 0.99),
    13: (1, 0.98, 0.99),
    14: (0.79, 0.67, 0.72),
    15: (0.6, 0.58, 0.59),
    16: (0.71, 0.82, 0.76),
    17: (0.88, 0.81, 0.84),
    18: (0.8, 0.66, 0.72),
    19: (0.54, 0.58, 0.56),
    20: (0.64, 0.78, 0.71),
}
