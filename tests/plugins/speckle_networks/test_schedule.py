import math

import pytest

from speckle_networks.schedule import learning_rate, stops


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def rates_of(torch, make, count, losses=None):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.01)
    schedule = make(optimizer)
    rates = []
    for index in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if index + 1 < count:
            schedule.step(*([losses[index]] if losses else []))
    return rates


@pytest.mark.framework
@pytest.mark.parametrize("steps", [10, 137])
def test_one_cycle_is_torchs(torch, steps):
    expected = rates_of(
        torch,
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o, max_lr=0.01, total_steps=steps, cycle_momentum=False
        ),
        steps,
    )
    ours = [learning_rate("one-cycle", 0.01, step, steps, []) for step in range(steps)]
    assert ours == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_a_few_steps_stays_within_its_bounds(steps):
    for step in range(steps):
        assert 0 < learning_rate("one-cycle", 0.01, step, steps, []) <= 0.01


@pytest.mark.framework
def test_plateau_is_torchs_with_the_authors_settings(torch):
    losses = [3, 2, 2, 2, 2, 2, 2, 1.9, 1.9, 1.89995, 1.9, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2] + [2] * 60
    # torch waits for more than `patience` bad epochs, Keras for as many.
    expected = rates_of(
        torch,
        lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(
            o,
            factor=math.sqrt(0.1),
            patience=4,
            threshold=1e-4,
            threshold_mode="abs",
            min_lr=0.5e-6,
        ),
        len(losses) + 1,
        losses,
    )
    ours = [learning_rate("plateau", 0.01, 0, 1, losses[:n]) for n in range(len(losses) + 1)]
    assert ours == pytest.approx(expected)
    assert ours[-1] == 0.5e-6


def test_constant_is_constant():
    assert learning_rate("constant", 0.01, 7, 9, [1.0, 5.0]) == 0.01


def test_training_stops_after_as_many_epochs_without_progress():
    losses = [1.0, 0.5, 0.4999, 0.4995, 0.6]
    assert not stops(losses[:4], 3)
    assert stops(losses, 3)
    assert not stops(losses, 4)
    assert not stops([1.0] * 99, None)


def test_cosine_falls_from_the_peak_along_half_a_cosine():
    rates = [learning_rate("cosine", 2.0, step, 4, []) for step in range(4)]
    assert rates == pytest.approx([2, 1 + math.sqrt(0.5), 1, 1 - math.sqrt(0.5)])
