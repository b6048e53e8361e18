"""A policy that starts as the stronger clinic, is stored whole, and copes with a dead sensor."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from medml.treatment.controllers import stronger_clinic
from medml.treatment.course import treat
from medml.treatment.policy import GaussianPolicy, load_policy, save_policy


def test_a_new_policy_doses_nearly_as_the_stronger_clinic():
    """Last weights are small: insulin differs by a few per cent at most."""
    names = ["adult#001", "child#003"]
    ours, clinic = (
        treat(controller, names, days=1).insulin.sum(axis=1)
        for controller in (GaussianPolicy(seed=3).controller(), stronger_clinic)
    )
    np.testing.assert_allclose(ours, clinic, rtol=0.05)
    assert not np.array_equal(ours, clinic)


def test_the_probability_is_that_of_two_independent_normals():
    """Against scipy, after the observations were standardised."""
    policy = GaussianPolicy(log_std=-1.0)
    seen = torch.randn(50, 10, generator=torch.Generator().manual_seed(1)) * 3 + 2
    policy.standardise(seen)
    mean = policy.actor((seen - seen.mean(0)) / seen.std(0)).detach().numpy()
    action = torch.full((50, 2), 0.3)
    expected = norm.logpdf(0.3, mean, np.exp(-1)).sum(axis=1)
    got = policy.distribution(seen).log_prob(action).detach().numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_first_weights_follow_from_the_seed_and_leave_the_global_state_alone():
    """Same seed, same weights; the caller's random numbers go on as before."""
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (GaussianPolicy(seed=seed) for seed in (1, 1, 2))
    assert torch.rand(1) == expected
    assert torch.equal(first.actor[0].weight, again.actor[0].weight)
    assert not torch.equal(first.actor[0].weight, other.actor[0].weight)


@pytest.mark.parametrize("descriptors", [False, True])
def test_a_stored_policy_is_the_same_policy(tmp_path, descriptors):
    """Options, weights and the scale of the observations come back."""
    policy = GaussianPolicy(descriptors, hidden=8, seed=4)
    policy.standardise(torch.rand(30, policy.centre.numel()))
    save_policy(policy, tmp_path / "policy.pt")
    again = load_policy(tmp_path / "policy.pt")
    assert again.options == policy.options
    seen = torch.rand(5, policy.centre.numel())
    assert torch.equal(again.distribution(seen).mean, policy.distribution(seen).mean)


def test_a_file_that_is_no_policy_is_refused(tmp_path):
    """Text, or weights of another network."""
    path = tmp_path / "policy.pt"
    path.write_text("glucose")
    with pytest.raises(ValueError, match="is no policy of this module"):
        load_policy(path)
    weights = GaussianPolicy(hidden=8).state_dict()
    torch.save({"options": {"descriptors": False, "hidden": 16}, "weights": weights}, path)
    with pytest.raises(ValueError, match="is no policy of this module"):
        load_policy(path)
    with pytest.raises(FileNotFoundError):
        load_policy(tmp_path / "missing.pt")


def test_a_dead_sensor_is_answered_with_the_clinic_s_dose_and_a_warning(chart):
    """No reading, no learned action; the announced meal still gets its bolus."""
    policy = GaussianPolicy(seed=1)
    with torch.no_grad():
        policy.actor[-1].bias.fill_(0.5)
    control = policy.controller()
    with pytest.warns(UserWarning, match="sensor gives no reading"):
        dose = control(chart(cgm=np.nan, meal=40.0))
    assert dose.basal[0] == 1.0
    assert dose.bolus[0] == 4.0
    dose = control(chart(meal=40.0))
    assert dose.basal[0] > 2
    assert dose.bolus[0] > 4.5


@pytest.mark.parametrize(("bias", "basal", "bolus"), [(-0.5, 0.5, 3), (5, 4, 6), (-5, 0, 2)])
def test_a_controller_gives_the_mean_action_cut_to_its_limits(chart, bias, basal, bolus):
    """1 U/h and 4 U for 40 g: half an action less, and far beyond both ends."""
    policy = GaussianPolicy(seed=1)
    with torch.no_grad():
        policy.actor[-1].bias.fill_(bias)
    dose = policy.controller()(chart(meal=40.0))
    assert dose.basal[0] == pytest.approx(basal, abs=0.05)
    assert dose.bolus[0] == pytest.approx(bolus, abs=0.1)
