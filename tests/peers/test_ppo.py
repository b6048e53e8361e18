"""Our PPO beside stable-baselines3 2.9.2: equal samples, equal settings, unseen patients."""

import numpy as np
import pytest
import torch
from scipy.stats import t as student_t
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from medml.treatment.controllers import stronger_clinic
from medml.treatment.course import treat
from medml.treatment.encoding import doses, observe
from medml.treatment.environment import InsulinDosingVectorEnv
from medml.treatment.measures import measure_course
from medml.treatment.patients import patient_folds
from medml.treatment.training import Settings, learn

LEARNT_FROM, HELD_OUT = patient_folds()[1]
SETTINGS = Settings(iterations=20, copies=4, days=1)
SEEDS = range(16)


class Adapter(VecEnv):
    """A gymnasium vector environment as stable-baselines3 wants it, with rewards scaled as ours."""

    def __init__(self, env, scale):
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self.env, self.scale = env, scale

    def reset(self):
        return self.env.reset(seed=self._seeds[0])[0]

    def step_async(self, actions):
        self.actions = actions

    def step_wait(self):
        seen, reward, terminated, truncated, info = self.env.step(self.actions)
        ended, infos = terminated | truncated, [{} for _ in reward]
        for row in np.flatnonzero(ended):
            last = info["final_obs"][row]
            infos[row] = {"terminal_observation": last, "TimeLimit.truncated": truncated[row]}
        return seen, (reward * self.scale).astype(np.float32), ended, infos

    def close(self): ...

    def get_attr(self, name, indices=None):
        return [getattr(self.env, name, None)] * self.num_envs

    def set_attr(self, name, value, indices=None): ...

    def env_method(self, name, *args, indices=None, **kwargs): ...

    def env_is_wrapped(self, wrapper, indices=None):
        return [False] * self.num_envs


def theirs(seed):
    """Train stable-baselines3's PPO; return its controller."""
    s, names = SETTINGS, LEARNT_FROM * SETTINGS.copies
    adapter = Adapter(InsulinDosingVectorEnv(names, days=s.days), 1 - s.gamma)
    adapter.seed(10_000 * (seed + 1))
    env = VecNormalize(adapter, norm_reward=False)
    steps = adapter.env.ward.steps
    kind = {"net_arch": [s.hidden] * 2, "log_std_init": s.log_std}
    settings = {"gamma": s.gamma, "gae_lambda": s.lam, "clip_range": s.clip, "n_epochs": s.epochs}
    settings |= {"vf_coef": s.value_weight, "max_grad_norm": s.most_gradient, "seed": seed}
    settings |= {"n_steps": steps, "batch_size": steps * len(names) // s.batches, "device": "cpu"}
    model = PPO("MlpPolicy", env, lambda left: s.rate * left, policy_kwargs=kind, **settings)
    model.learn(s.iterations * steps * len(names))

    def control(chart):
        action, _ = model.predict(env.normalize_obs(observe(chart)), deterministic=True)
        return doses(chart, action)

    return control


@pytest.mark.slow
def test_our_ppo_is_not_worse_than_that_of_stable_baselines3():
    """Time in range of held-out patients, pairs by seed: lower 95 % bound above -0.5 points."""
    torch.set_num_threads(1)
    rows = []
    for seed in SEEDS:
        ours = learn(LEARNT_FROM, Settings(**vars(SETTINGS) | {"seed": seed})).policy.controller()
        controllers = (ours, theirs(seed), stronger_clinic)
        tables = [measure_course(treat(c, HELD_OUT * 20, seed=8_000_000)) for c in controllers]
        rows.append([table[["in_range", "risk"]].mean() for table in tables])
    (ours, peer, _), (_, peer_risk, clinic_risk) = np.array(rows).transpose(2, 1, 0)
    difference = ours - peer
    half = student_t.ppf(0.975, len(rows) - 1) * difference.std(ddof=1) / len(rows) ** 0.5
    print(f"time in range, %: ours {ours.round(2)}, stable-baselines3 {peer.round(2)}")
    print(f"ours - peer {difference.mean():.2f} ± {half:.2f}")
    print(f"risk: stable-baselines3 {peer_risk.mean():.2f}, stronger clinic {clinic_risk[0]:.2f}")
    assert difference.mean() - half > -0.5
    assert peer_risk.mean() < clinic_risk[0], "equal settings must suit the peer, too"
