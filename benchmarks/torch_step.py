"""A training step in plain PyTorch, as `train_step.py` measures it.

The network is `torch_pose.py`'s. The augmentation is that of Section 6.1: each
window is turned, scaled and mirrored by one `grid_sample`, and its joints are
moved by the same map. The losses are those of I1: the cross-entropy of the
softmaxed maps with Gaussians, and L1.

Shape letters: B batch, S side of the windows, K joints.
"""

import math

import torch
import torch_pose
from torch import nn
from torch.nn import functional

from integral_tf import coordinates


class Step:
    """Takes steps of Adam on the same people.

    Args:
        model: A `pose_model` of I1, whose weights are copied.
        people: Dict of NumPy arrays: `windows` `(B, S, S, 3)` uint8, `boxes`
            `(B, 4)`, `joints` `(B, K, 2)`, `visible` `(B, K)`, and `draws`
            `(B, 3)`, as `layers.PersonCrop` takes them.
        order: Place of each joint's other side.
        compiled: Whether `torch.compile` compiles the network and its losses.
        bfloat16: Whether `torch.autocast` computes the network in bfloat16.
        device: `cpu` or `cuda`.
    """

    def __init__(self, model, people, order, *, compiled, bfloat16, device):
        self.network = Maps(model).to(device).train()
        if device == "cuda":
            self.network.to(memory_format=torch.channels_last)
        self.device, self.bfloat16 = device, bfloat16
        self.people = {
            name: torch.from_numpy(each).to(device)
            for name, each in people.items()
        }
        self.order = torch.tensor(order, device=device)
        self.size = model.input_shape[1]
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), 1e-3, fused=device == "cuda"
        )
        self.losses, self.read = self.cost, self.network
        if compiled:
            self.losses = torch.compile(self.cost)
            self.read = torch.compile(self.network)

    def __call__(self):
        """Takes a step; returns the loss, on the device."""
        images, joints, visible = self.augment()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.losses(images, joints, visible)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    @torch.no_grad()
    def forward(self):
        """Reads the crops; returns the joints' mean, in crop pixels."""
        self.network.eval()
        if not hasattr(self, "crops"):
            self.crops = self.augment()[0]
        with torch.autocast(self.device, torch.bfloat16, self.bfloat16):
            return self.read(self.crops)[1].mean()

    def augment(self):
        """Crops `(B, 3, size, size)`, joints in crop pixels, and labels."""
        windows = self.people["windows"].permute(0, 3, 1, 2).float()
        boxes, side = self.people["boxes"], windows.shape[-1]
        turn, zoom, coin = self.people["draws"].unbind(dim=1)
        angle = (1 - 2 * turn) * math.radians(30)
        sign = 1 - 2 * (coin < 0.5).float()
        longer = boxes[:, 2:].amax(dim=1) * coordinates.BOX_MARGIN
        step = longer * (1 + (2 * zoom - 1) * 0.25) / self.size
        middle = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
        cos, sin = angle.cos() * step, angle.sin() * step
        linear = torch.stack([cos * sign, -sin, sin * sign, cos], 1)
        linear = linear.view(-1, 2, 2)
        # `affine_grid` counts both pictures from -1 to 1.
        shift = (2 * middle + 1) / side - 1
        theta = torch.cat([linear * self.size / side, shift[:, :, None]], 2)
        shape = (len(boxes), 3, self.size, self.size)
        grid = functional.affine_grid(theta, shape, align_corners=False)
        images = functional.grid_sample(windows, grid, align_corners=False)
        apart = self.people["joints"] - middle[:, None]
        joints = apart @ torch.linalg.inv(linear).transpose(1, 2)
        joints = joints + (self.size - 1) / 2
        mirrored = (sign < 0)[:, None]
        joints = torch.where(mirrored[..., None], joints[:, self.order], joints)
        visible = self.people["visible"]
        visible = torch.where(mirrored, visible[:, self.order], visible)
        inside = ((joints > -0.5) & (joints < self.size - 0.5)).all(dim=2)
        return images, joints, visible * inside

    def cost(self, images, joints, visible):
        """The sum of both losses, averaged over people."""
        with torch.autocast(self.device, torch.bfloat16, self.bfloat16):
            maps, points = self.network(images)
        stride = self.network.stride
        known = visible.sum(dim=1).clamp(min=1)
        far = (points - joints).abs().sum(dim=2) / (2 * stride)
        cells = coordinates.crop_to_heatmap(joints, stride)
        x, y = (
            torch.arange(maps.shape[axis], device=self.device)
            - cells[..., i, None]
            for i, axis in enumerate((3, 2))
        )
        down, across = (-(y**2) / 2).exp(), (-(x**2) / 2).exp()
        truth = down[..., :, None] * across[..., None, :]
        truth = truth.flatten(2)
        truth = truth / truth.sum(dim=2, keepdim=True).clamp(min=1e-6)
        logs = functional.log_softmax(maps.flatten(2).float(), dim=2)
        entropy = -(truth * logs).sum(dim=2)
        return (((far + entropy) * visible).sum(dim=1) / known).mean()


class Maps(nn.Module):
    """`torch_pose.PoseModel`, which gives its heat maps, too."""

    def __init__(self, model):
        super().__init__()
        self.pose = torch_pose.PoseModel(model)
        self.stride = self.pose.stride

    def forward(self, images):
        maps = self.pose.maps(images)
        return maps, self.pose.points(maps.float())
