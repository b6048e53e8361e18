"""Insulin dosing as a reinforcement learning environment: one virtual patient, or many at once.

Importing this module registers ``medml/InsulinDosing-v0`` with gymnasium.
"""

from collections.abc import Sequence
from typing import ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from medml.data.virtual_patients import load_virtual_patients
from medml.treatment.encoding import DESCRIPTORS, FEATURES, LIMIT, doses, observe
from medml.treatment.measures import reward
from medml.treatment.ward import Ward

DEAD = 10.0  # mg/dL: an episode ends here


def _advance(ward: Ward, action, alpha: float, beta: float):
    """Let a step pass; return reward, terminated, truncated and info, arrays of all patients."""
    dose = doses(ward.chart(), action)
    dose = dose._replace(bolus=np.minimum(dose.bolus, ward.pump.max_bolus))
    insulin, eaten, rescue = ward.step(dose)
    glucose = ward.glucose
    info = {"glucose": glucose, "insulin": insulin, "eaten": eaten, "rescue": rescue}
    info |= {"basal": dose.basal, "bolus": dose.bolus}
    terminated = glucose < DEAD
    return reward(glucose, alpha, beta), terminated, ward.over & ~terminated, info


def _observation_space(descriptors: bool) -> gym.spaces.Box:
    size = len(FEATURES) + (len(DESCRIPTORS) if descriptors else 0)
    return gym.spaces.Box(-LIMIT, LIMIT, (size,), np.float32)


class InsulinDosingEnv(gym.Env):
    """One virtual patient, a decision every five minutes.

    Observations and actions: `medml.treatment.encoding`. Reward: `reward` of the true
    glucose, which a bedside does not know. An episode is terminated when glucose falls below 10
    mg/dL and truncated at the end of its last day. `info` holds `glucose` (mg/dL), `insulin` (U
    delivered), `basal` (U/h) and `bolus` (U, at most what the pump can give) as decided, `eaten`
    and `rescue` (g).

    Parameters
    ----------
    patient : str
        Such as adult#001.
    descriptors : bool
        See `observe`.
    alpha, beta : float
        See `reward`.
    **setting
        Days, sensor, meals …, see `Ward`.

    Examples
    --------
    >>> env = gym.make("medml/InsulinDosing-v0", patient="child#003", days=1)
    >>> observation, info = env.reset(seed=7)
    >>> observation, reward, terminated, truncated, info = env.step(np.zeros(2, np.float32))
    >>> observation.shape, reward
    ((10,), 0.978...)
    """

    metadata: ClassVar = {"render_modes": []}

    def __init__(
        self,
        patient: str = "adult#001",
        *,
        descriptors: bool = False,
        alpha: float = 1.0,
        beta: float = 1.0,
        **setting,
    ):
        self.ward = Ward([patient], **setting)
        self._descriptors, self._weights = descriptors, (alpha, beta)
        self.observation_space = _observation_space(descriptors)
        self.action_space = gym.spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Begin an episode at midnight; return the observation and `info` with the glucose."""
        super().reset(seed=seed)
        self.ward.reset([self.np_random])
        return self._observation(), {"glucose": float(self.ward.glucose[0])}

    def step(self, action: np.ndarray):
        """Dose and let five minutes pass; raises ValueError for an action outside the space."""
        result = _advance(self.ward, np.asarray(action, float)[None], *self._weights)
        gain, terminated, truncated, info = result
        info = {name: float(values[0]) for name, values in info.items()}
        observation = self._observation()
        return observation, float(gain[0]), bool(terminated[0]), bool(truncated[0]), info

    def _observation(self) -> np.ndarray:
        return observe(self.ward.chart(), self._descriptors)[0]


class InsulinDosingVectorEnv(VectorEnv):
    """Many virtual patients at once: each row is an `InsulinDosingEnv` of its own.

    A row whose episode ends begins the next one in the same step, as gymnasium's
    ``AutoresetMode.SAME_STEP`` says: the observation is the new episode's first, and
    ``info["final_obs"]`` holds the last one where ``info["_final_obs"]`` is true.

    Parameters
    ----------
    names : sequence of str, optional
        Patients of the rows, all 30 if not given.
    num_envs : int, optional
        Number of rows: the names are repeated in turn.
    descriptors, alpha, beta, **setting
        As for `InsulinDosingEnv`.

    Examples
    --------
    >>> env = gym.make_vec("medml/InsulinDosing-v0", num_envs=60, days=1)
    >>> observations, infos = env.reset(seed=7)
    >>> env.step(np.zeros((60, 2), np.float32))[1].shape
    (60,)
    """

    metadata: ClassVar = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        names: Sequence[str] | None = None,
        num_envs: int | None = None,
        *,
        descriptors: bool = False,
        alpha: float = 1.0,
        beta: float = 1.0,
        **setting,
    ):
        names = load_virtual_patients().index if names is None else names
        names = list(names) if num_envs is None else np.resize(list(names), num_envs).tolist()
        self.ward, self.num_envs = Ward(names, **setting), len(names)
        self._descriptors, self._weights = descriptors, (alpha, beta)
        self.single_observation_space = _observation_space(descriptors)
        self.single_action_space = gym.spaces.Box(-1, 1, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._generators: list[np.random.Generator] = []

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Begin an episode in every row.

        Parameters
        ----------
        seed : int, optional
            Row i gets the generator of an `InsulinDosingEnv` with seed + i, so seeds that are to
            give different episodes must lie farther apart than there are rows.
        options : dict, optional
            ``{"reset_mask": array of bool}`` begins anew in those rows only.
        """
        if seed is not None or not self._generators:
            first = np.random.SeedSequence().entropy % 2**63 if seed is None else seed
            self._generators = [seeding.np_random(first + i)[0] for i in range(self.num_envs)]
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        self._begin(np.flatnonzero(mask))
        return self._observations(), {"glucose": self.ward.glucose}

    def _begin(self, rows: np.ndarray) -> None:
        self.ward.reset([self._generators[row] for row in rows], rows)

    def step(self, actions: np.ndarray):
        """Dose every patient and let five minutes pass; rows that end begin anew."""
        gain, terminated, truncated, info = _advance(self.ward, actions, *self._weights)
        observations = self._observations()
        ended = terminated | truncated
        if ended.any():
            info |= {"final_obs": observations, "_final_obs": ended}
            self._begin(np.flatnonzero(ended))
            observations = self._observations()
        return observations, gain, terminated, truncated, info

    def _observations(self) -> np.ndarray:
        return observe(self.ward.chart(), self._descriptors)


gym.register(
    id="medml/InsulinDosing-v0",
    entry_point="medml.treatment.environment:InsulinDosingEnv",
    vector_entry_point="medml.treatment.environment:InsulinDosingVectorEnv",
)
