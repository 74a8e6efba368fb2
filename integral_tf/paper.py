"""The paper's tables as data, to print beside the figures measured here.

Sun et al., "Integral Human Pose Regression", arXiv:1711.08229v1. Accuracies
are in percent. A score is `(PCKh@0.5, PCKh@0.1, AUC)` on MPII's validation
split unless the table says otherwise.

Two interpretations of the text:

    - mAP@0.5 in Table 3's caption and in Section 6.1 means PCKh@0.5.
    - A FLOP of the paper is one multiplication and its addition. Its parameters
      are those of the ImageNet classifier: the backbone and the 1000-way
      layer, without the head.
"""

SCORE = ("@0.5", "@0.1", "AUC")

# Methods of Sections 3 to 5. ResNet-50, 256 pixels, 2 upsamplings.
TABLE_2 = {
    "H1": (86.8, 17.2, 52.9),
    "H2": (86.4, 17.6, 53.1),
    "H3": (83.0, 12.6, 46.3),
    "R1": (84.6, 25.0, 54.1),
    "I1": (87.3, 29.3, 58.3),
    "I2": (86.9, 29.7, 58.3),
    "I3": (86.6, 29.1, 57.7),
    "I*": (86.0, 28.3, 56.6),
}

# Heat-map methods read each map at its maximum. A two-phase method integrates
# the map, and first trains as its heat-map method.
HEATMAP_METHODS = ("H1", "H2", "H3")
TWO_PHASE_METHODS = ("I1", "I2", "I3")

# Resolution: image size and number of upsamplings. ResNet-50.
TABLE_3 = {
    "a": {
        "image_size": 128,
        "upsamplings": 3,
        "H1": (81.6, 13.6, 46.6),
        "I1": (83.2, 20.6, 50.7),
        "gflops": 1.8,
        "mparams": 26,
    },
    "b": {
        "image_size": 128,
        "upsamplings": 2,
        "H1": (75.4, 5.6, 34.1),
        "I1": (80.9, 16.1, 47.2),
        "gflops": 1.5,
        "mparams": 26,
    },
    "c": {
        "image_size": 256,
        "upsamplings": 3,
        "H1": (86.7, 28.0, 57.7),
        "I1": (86.6, 32.1, 58.9),
        "gflops": 7.3,
        "mparams": 26,
    },
    "d": {
        "image_size": 256,
        "upsamplings": 2,
        "H1": (86.8, 17.2, 52.9),
        "I1": (87.3, 29.3, 58.3),
        "gflops": 6.2,
        "mparams": 26,
    },
}

# Backbones. 256 pixels, 2 upsamplings.
TABLE_4 = {
    "resnet18": {
        "H1": (85.5, 15.7, 50.8),
        "R1": (82.4, 21.9, 50.8),
        "I1": (86.0, 25.7, 55.6),
        "gflops": 2.8,
        "mparams": 12,
    },
    "resnet50": {
        "H1": (86.8, 17.2, 52.9),
        "R1": (84.6, 25.0, 54.1),
        "I1": (87.3, 29.3, 58.3),
        "gflops": 6.2,
        "mparams": 26,
    },
    "resnet101": {
        "H1": (87.3, 17.3, 53.3),
        "R1": (85.7, 26.9, 55.6),
        "I1": (87.9, 30.3, 59.0),
        "gflops": 11.0,
        "mparams": 45,
    },
}

# Stages of Figure 1, by their number. ResNet-50.
TABLE_5 = {
    "MS-H1": {
        1: (86.8, 17.2, 52.9),
        2: (86.9, 17.6, 53.4),
        3: (87.1, 17.8, 53.7),
        4: (87.4, 17.8, 54.0),
    },
    "MS-I1": {
        1: (87.3, 29.3, 58.3),
        2: (87.7, 32.0, 59.5),
        3: (87.8, 32.4, 59.9),
        4: (88.1, 32.3, 60.1),
    },
}

# PCKh@0.5 on MPII's test set, with the flip test. Numbers in brackets are those
# of the paper's references.
TABLE_6_COLUMNS = (
    "Head",
    "Sho.",
    "Elb.",
    "Wri.",
    "Hip",
    "Knee",
    "Ank.",
    "Mean",
)
TABLE_6 = {
    # Heat maps.
    "Pishchulin [33]": (74.3, 49.0, 40.8, 34.1, 36.5, 34.4, 35.2, 44.1),
    "Tompson [41]": (95.8, 90.3, 80.5, 74.3, 77.6, 69.7, 62.8, 79.6),
    "Tompson [40]": (96.1, 91.9, 83.9, 77.8, 80.9, 72.3, 64.8, 82.0),
    "Hu [18]": (95.0, 91.6, 83.0, 76.6, 81.9, 74.5, 69.5, 82.4),
    "Pishchulin [34]": (94.1, 90.2, 83.4, 77.3, 82.6, 75.7, 68.6, 82.4),
    "Lifshitz [22]": (97.8, 93.3, 85.7, 80.4, 85.3, 76.6, 70.2, 85.0),
    "Gkioxary [15]": (96.2, 93.1, 86.7, 82.1, 85.2, 81.4, 74.1, 86.1),
    "Raf [35]": (97.2, 93.9, 86.4, 81.3, 86.8, 80.6, 73.4, 86.3),
    "Insafutdinov [19]": (96.8, 95.2, 89.3, 84.4, 88.4, 83.4, 78.0, 88.5),
    "Wei [43]": (97.8, 95.0, 88.7, 84.0, 88.4, 82.8, 79.4, 88.5),
    "Bulat [4]": (97.9, 95.1, 89.9, 85.3, 89.4, 85.7, 81.7, 89.7),
    "Newell [29]": (98.2, 96.3, 91.2, 87.1, 90.1, 87.4, 83.6, 90.9),
    "Chu [12]": (98.5, 96.3, 91.9, 88.1, 90.6, 88.0, 85.0, 91.5),
    "Chou [10]": (98.2, 96.8, 92.2, 88.0, 91.3, 89.1, 84.9, 91.8),
    "Chen [8]": (98.1, 96.5, 92.5, 88.5, 90.2, 89.6, 86.0, 91.9),
    "H1": (97.9, 95.3, 90.0, 85.5, 88.3, 85.3, 80.7, 89.4),
    "MS-H1": (98.0, 95.4, 90.2, 86.3, 88.1, 85.8, 82.1, 89.8),
    # Regression.
    "Carreira [6]": (95.7, 91.7, 81.7, 72.4, 82.8, 73.2, 66.4, 81.3),
    "Sun [38]": (97.5, 94.3, 87.0, 81.2, 86.5, 78.5, 75.4, 86.4),
    "R1": (97.8, 95.2, 87.6, 80.3, 89.6, 80.7, 73.0, 87.0),
    # Integral regression.
    "I1": (98.1, 96.0, 90.4, 85.7, 90.1, 85.8, 81.0, 90.0),
    "MS-I1": (98.2, 96.1, 91.0, 86.5, 89.9, 86.2, 82.3, 90.4),
}

# PCKh@0.5 on MPII's test set against size. Hourglass (HG) has 8 stages, CPM 6,
# MS-I1 4.
TABLE_7 = {
    "CPM [43]": {
        "pckh": 88.5,
        "image_size": 368,
        "mparams": 51,
        "gflops": 134,
    },
    "HG [29]": {
        "pckh": 90.9,
        "image_size": 256,
        "mparams": 59,
        "gflops": 73,
    },
    "I1": {
        "pckh": 90.0,
        "image_size": 256,
        "mparams": 26,
        "gflops": 6.2,
    },
    "MS-I1": {
        "pckh": 90.4,
        "image_size": 256,
        "mparams": 101,
        "gflops": 18,
    },
}

# Keypoint AP on COCO's test-dev.
TABLE_8_COLUMNS = ("AP", "AP50", "AP75", "APM", "APL")
TABLE_8_BACKBONES = {
    "CMU-Pose [5]": "",
    "Mask R-CNN [16]": "ResNet-50-FPN",
    "G-RMI [31]": "ResNet-101 (353 x 257)",
    "H1": "ResNet-101 (256 x 256)",
    "I1": "ResNet-101 (256 x 256)",
}
TABLE_8 = {
    "CMU-Pose [5]": (61.8, 84.9, 67.5, 57.1, 68.2),
    "Mask R-CNN [16]": (63.1, 87.3, 68.7, 57.8, 71.4),
    "G-RMI [31]": (64.9, 85.5, 71.3, 62.3, 70.0),
    "H1": (66.3, 88.4, 74.6, 62.9, 72.1),
    "I1": (67.8, 88.2, 74.8, 63.9, 74.0),
}
