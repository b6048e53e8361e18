"""The environment keeps gymnasium's rules, and a row of the batch is the single environment."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from medml.treatment.controllers import stronger_clinic
from medml.treatment.course import treat
from medml.treatment.encoding import doses, observe
from medml.treatment.environment import InsulinDosingEnv, InsulinDosingVectorEnv
from medml.treatment.measures import reward
from medml.treatment.simulator import GLUCOSE

NAMES = ["adult#001", "child#008", "adolescent#002"]


def random_actions(steps, rows, seed=0):
    """Draw actions over the whole space."""
    return np.random.default_rng(seed).uniform(-1, 1, (steps, rows, 2)).astype(np.float32)


def play(env, actions, seed):
    """Return observations and rewards of an episode."""
    observations, rewards = [env.reset(seed=seed)[0]], []
    for action in actions:
        observation, gain, *_ = env.step(action)
        observations.append(observation)
        rewards.append(gain)
    return np.array(observations), np.array(rewards)


@pytest.mark.parametrize("descriptors", [False, True])
def test_gymnasium_s_checker_has_nothing_to_say(descriptors):
    """No error and no warning."""
    env = gym.make("medml/InsulinDosing-v0", descriptors=descriptors)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_the_vector_environment_is_made_by_gymnasium_without_a_warning():
    """All 30 patients in turn; spaces, autoreset mode and shapes are declared."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make_vec("medml/InsulinDosing-v0", num_envs=32, days=1)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.ward.simulator.names[30] == env.ward.simulator.names[0]
    observations, _ = env.reset(seed=0)
    assert observations in env.observation_space
    assert observations.shape == (32, *env.single_observation_space.shape)
    env.action_space.seed(0)
    results = env.step(env.action_space.sample())
    assert results[0] in env.observation_space
    assert [array.dtype.kind for array in results[1:4]] == ["f", "b", "b"]
    env.close()


def test_a_seed_gives_the_same_episode_bit_for_bit():
    """Twice in one environment, and in another one."""
    actions = random_actions(288, 1)[:, 0]
    env = InsulinDosingEnv("child#008", days=1)
    first, again = play(env, actions, 3), play(env, actions, 3)
    other = play(InsulinDosingEnv("child#008", days=1), actions, 3)
    for run in (again, other):
        assert all((a == b).all() for a, b in zip(first, run, strict=True))
    assert (play(env, actions, 4)[0] != first[0]).any()


def test_a_reset_without_a_seed_goes_on_with_new_meals():
    """The second episode is another one, and the same again after the same seed."""
    env = InsulinDosingEnv(days=1)
    seconds = []
    for _ in range(2):
        first = env.reset(seed=9)[0]
        seconds.append(env.reset()[0])
        assert (seconds[-1] != first).any()
    assert (seconds[0] == seconds[1]).all()


def test_a_row_of_the_batch_is_the_single_environment_also_in_its_next_episode():
    """Observations, rewards, ends and info over a day and an hour, bit for bit."""
    actions = random_actions(300, 3)
    batch = InsulinDosingVectorEnv(NAMES, days=1)
    together, _ = batch.reset(seed=20)
    singles = [InsulinDosingEnv(name, days=1) for name in NAMES]
    for row, env in enumerate(singles):
        assert (env.reset(seed=20 + row)[0] == together[row]).all()
    ends = 0
    for step in actions:
        together, gains, terminated, truncated, info = batch.step(step)
        for row, env in enumerate(singles):
            observation, gain, *ended, details = env.step(step[row])
            assert (gain, *ended) == (gains[row], terminated[row], truncated[row])
            assert details == {name: info[name][row] for name in details}
            if any(ended):
                ends += 1
                assert info["_final_obs"][row]
                assert (info["final_obs"][row] == observation).all()
                observation, _ = env.reset()
            assert (observation == together[row]).all()
    assert ends == 3


def test_a_policy_in_the_environment_is_the_same_policy_as_a_controller():
    """The environment adds nothing to chart, observation and dose."""

    def policy(observation):
        return np.clip(observation[:, [0, 1]] / 3, -1, 1)

    course = treat(lambda chart: doses(chart, policy(observe(chart))), NAMES, days=1, seed=5)
    env = InsulinDosingVectorEnv(NAMES, days=1)
    observation, _ = env.reset(seed=5)
    for step in range(287):
        observation, gain, _, _, info = env.step(policy(observation))
        assert (info["glucose"] == course.glucose[:, step + 1]).all()
        assert (gain == reward(info["glucose"])).all()


def test_no_action_treats_like_the_stronger_clinic():
    """For a whole day of every patient chosen."""
    course = treat(stronger_clinic, NAMES, days=1, seed=2)
    env = InsulinDosingVectorEnv(NAMES, days=1)
    env.reset(seed=2)
    glucose = [env.step(np.zeros((3, 2)))[4]["glucose"] for _ in range(287)]
    assert (np.transpose(glucose) == course.glucose[:, 1:-1]).all()


def test_an_episode_is_truncated_at_its_end_and_terminated_at_a_deadly_glucose():
    """After 288 steps a day; below 10 mg/dL at once, and not both."""
    env = InsulinDosingEnv(days=1)
    env.reset(seed=0)
    ends = [env.step(np.zeros(2))[2:4] for _ in range(288)]
    assert ends == [(False, False)] * 287 + [(False, True)]
    for last in (0, 287):
        env.reset(seed=0)
        env.ward.step_number[:] = last
        env.ward.simulator.state[list(GLUCOSE)] /= 40
        _, gain, *ended, info = env.step(np.zeros(2))
        assert ended == [True, False]
        assert info["glucose"] < 10
        assert gain == pytest.approx(-12, abs=0.1)


def test_only_the_rows_of_a_mask_are_reset():
    """The others go on where they are."""
    env = InsulinDosingVectorEnv(NAMES, days=1)
    env.reset(seed=1)
    before = env.step(np.zeros((3, 2)))[0]
    after, _ = env.reset(options={"reset_mask": np.array([False, True, False])})
    assert (after[[0, 2]] == before[[0, 2]]).all()
    assert (after[1] != before[1]).any()
    assert env.ward.step_number.tolist() == [1, 0, 1]


def test_alpha_and_beta_weigh_the_reward():
    """α · cure - β · adverse of the true glucose."""
    env = InsulinDosingEnv(alpha=2.0, beta=0.5, days=1)
    env.reset(seed=0)
    _, gain, *_, info = env.step(np.zeros(2))
    assert gain == reward(info["glucose"], 2.0, 0.5)


def test_an_action_outside_the_space_is_refused():
    """In both environments, before anything happens."""
    env, batch = InsulinDosingEnv(days=1), InsulinDosingVectorEnv(NAMES, days=1)
    env.reset(seed=0)
    batch.reset(seed=0)
    with pytest.raises(ValueError, match="outside -1 to 1"):
        env.step(np.array([0.0, 1.5]))
    with pytest.raises(ValueError, match=r"shape \(3, 2\), got \(2,\)"):
        batch.step(np.zeros(2))
    with pytest.raises(ValueError, match=r"expected actions of shape"):
        env.step(np.zeros(1))
    assert batch.ward.step_number.tolist() == [0, 0, 0]
