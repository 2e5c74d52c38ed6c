"""What captum and our explainers say of one small network in torch."""

import captum.attr
import numpy as np
import torch

from speckle_explain.grad_cam import GradCam
from speckle_explain.integrated import IntegratedGradients
from speckle_explain.occlusion import Occlusion
from speckle_explain.saliency import GuidedSaliency, Saliency


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(1, 5, 3, stride=2, padding=1)
        self.act = torch.nn.ReLU()
        self.pool = torch.nn.MaxPool2d(2)
        self.last = torch.nn.Conv2d(5, 4, 3, padding=1)
        self.act2 = torch.nn.ReLU()
        self.head = torch.nn.Linear(4, 3)

    def forward(self, x):
        x = self.act2(self.last(self.pool(self.act(self.first(x)))))
        return self.head(x.mean(dim=(2, 3)))


class Powers:
    """The optional capabilities for `Net`, written by hand without captum."""

    def __init__(self, net):
        self.net = net

    def _pass(self, patterns, targets, guided=False):
        x = torch.tensor(patterns)[:, None].requires_grad_()
        hooks, kept = [], []
        if guided:
            for module in (self.net.act, self.net.act2):
                hooks.append(
                    module.register_full_backward_hook(lambda m, gi, go: (gi[0].clamp(min=0),))
                )
        hooks.append(self.net.act2.register_forward_hook(lambda m, i, o: kept.append(o)))
        score = self.net(x)[torch.arange(len(x)), torch.tensor(targets)].sum()
        gradients = torch.autograd.grad(score, [x, kept[0]])
        for hook in hooks:
            hook.remove()
        return gradients[0][:, 0].numpy(), kept[0].detach().numpy(), gradients[1].numpy()

    def input_gradients(self, patterns, targets, *, guided=False):
        return self._pass(patterns, targets, guided)[0]

    def feature_maps(self, patterns, targets, *, stage=None):
        return self._pass(patterns, targets)[1:]

    def predict_proba(self, patterns):
        return self.net(torch.tensor(patterns)[:, None]).softmax(dim=1).detach().numpy()

    def odds(self, x, target):
        scores = self.net(x)
        others = [i for i in range(scores.shape[1]) if i != target]
        return scores[:, target] - scores[:, others].logsumexp(dim=1)


def maps():
    """Return the maps of both, by ``captum_NAME`` and ``ours_NAME``, and what they are held to."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        net = Net().double().eval()
    patterns = np.random.default_rng(4).normal(size=(6, 17, 21))
    targets = np.array([0, 1, 2, 2, 1, 0])
    x, t = torch.tensor(patterns)[:, None], torch.tensor(targets)
    lowest = x.amin(dim=(1, 2, 3), keepdim=True) * torch.ones_like(x)
    cam = captum.attr.LayerGradCam(net, net.act2).attribute(x, t, relu_attributions=True)
    theirs = {
        "saliency": captum.attr.Saliency(net).attribute(x, t),
        "guided": captum.attr.GuidedBackprop(net).attribute(x, t).abs(),
        "cam": torch.nn.functional.interpolate(cam, (17, 21), mode="bilinear", align_corners=False),
        "integrated": captum.attr.IntegratedGradients(net).attribute(
            x, lowest, t, n_steps=32, method="gausslegendre"
        ),
        "centers": torch.nn.functional.interpolate(x, (40, 9), mode="bilinear"),
        "corners": torch.nn.functional.interpolate(x, (40, 9), mode="bilinear", align_corners=True),
    }
    powers = Powers(net)
    # Windows of 4 × 5 pixels, of which one has the smallest value of all, and only that.
    blocks = patterns[:1, :16, :20].copy()
    blocks[:, 4:8, 5:10] = blocks.min() - 1
    means = blocks.reshape(1, 4, 4, 4, 5).mean(axis=(2, 4)).repeat(4, axis=1).repeat(5, axis=2)
    lost = captum.attr.Occlusion(lambda x: powers.odds(x, targets[0])).attribute
    hidden = lost(
        torch.tensor(blocks)[:, None],
        sliding_window_shapes=(1, 4, 5),
        strides=(1, 4, 5),
        baselines=torch.tensor(means)[:, None],
    )
    ours = {
        "saliency": Saliency(batch_size=4),
        "guided": GuidedSaliency(),
        "cam": GradCam(align="centers"),
        "integrated": IntegratedGradients(steps=32),
        "fine": IntegratedGradients(steps=1024, batch_size=256),
    }
    arrays = {f"captum_{k}": v.detach().numpy()[:, 0] for k, v in theirs.items()}
    # Captum's loss is that of a window, ours is shared by its 20 pixels.
    arrays["captum_occlusion"] = hidden[:, 0].numpy()
    arrays["ours_occlusion"] = 20 * Occlusion(windows=4).explain(powers, blocks, targets[:1])
    arrays |= {f"ours_{k}": e.explain(powers, patterns, targets) for k, e in ours.items()}
    with torch.no_grad():
        gain = net(x) - net(lowest)
    arrays["gain"] = gain[torch.arange(6), t].numpy()
    return {"patterns": patterns, **arrays}
