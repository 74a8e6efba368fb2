"""Simple Baselines' ResNet-50 in PyTorch, with its names, for the tests."""

from torch import nn


class PoseResNet(nn.Module):
    """`(B, 3, H, W)` normalised images to `(B, K, H / 4, W / 4)` maps.

    Args:
        blocks: Bottlenecks in each of the four stages.
        joints: Number K of joints.
        channels: Of each of the three deconvolutions.
    """

    def __init__(self, blocks, joints, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs = 64
        for stage, count in enumerate(blocks, start=1):
            inner, made = 32 * 2**stage, []
            for i in range(count):
                stride = 2 if i == 0 and stage > 1 else 1
                made.append(Bottleneck(inputs, inner, stride))
                inputs = 4 * inner
            setattr(self, f"layer{stage}", nn.Sequential(*made))
        made = []
        for before in (inputs, channels, channels):
            made += [
                nn.ConvTranspose2d(before, channels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
        self.deconv_layers = nn.Sequential(*made)
        self.final_layer = nn.Conv2d(channels, joints, 1)

    def forward(self, images):
        features = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            features = stage(features)
        return self.final_layer(self.deconv_layers(features))


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut; the 3 x 3 has the stride."""

    def __init__(self, inputs, inner, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, 4 * inner, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * inner)
        self.relu = nn.ReLU()
        self.downsample = nn.Identity()
        if stride > 1 or inputs != 4 * inner:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * inner, 1, stride, bias=False),
                nn.BatchNorm2d(4 * inner),
            )

    def forward(self, features):
        branch = self.relu(self.bn1(self.conv1(features)))
        branch = self.relu(self.bn2(self.conv2(branch)))
        branch = self.bn3(self.conv3(branch))
        return self.relu(branch + self.downsample(features))
