"""Patient-days a second: medml's simulator and environment against simglucose 0.2.11.

    python benchmarks/simulator.py [PATIENTS]

simglucose runs in an environment of its own, .venv-simglucose, which `make bench` makes; it
simulates two days of the golden trajectories, medml PATIENTS days side by side (1,920 if not
given). Times are CPU-seconds on one core. Exits with 1 if the two differ by more than 0.05 mg/dL
or a speed is below its bar.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread, before NumPy is loaded

import numpy as np

from medml.treatment.environment import InsulinDosingVectorEnv
from medml.treatment.patients import choose_patients
from medml.treatment.simulator import Simulator

HERE = Path(__file__).resolve().parent
PEER = HERE.parent / ".venv-simglucose" / "bin" / "python"
NAMES = ["adult#001", "child#007"]
RAW_BAR, ENVIRONMENT_BAR, RATIO_BAR, ERROR_BAR = 2000, 800, 10000, 0.05


def by_simglucose():
    """Return the days of simglucose and its patient-days a CPU-second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "days.npz")
        command = [PEER, HERE / "peers" / "simglucose_day.py", path, *NAMES]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        with np.load(path, allow_pickle=False) as file:
            days = dict(file)
    report = json.loads(done.stdout.splitlines()[-1])
    return days, report["patients"] / report["cpu_s"]


def by_simulator(days, count):
    """Return the largest difference from simglucose and the patient-days a CPU-second."""
    row = np.resize(np.arange(len(NAMES)), count)
    simulator = Simulator(choose_patients([NAMES[i] for i in row]))
    carbs, insulin = (days[key][row].T.copy() for key in ("carbs", "insulin"))
    course, start = [simulator.glucose], time.process_time()
    for minute in range(24 * 60):
        simulator.step(insulin[minute], carbs[minute])
        if (minute + 1) % 5 == 0:
            course.append(simulator.glucose)
    speed = count / (time.process_time() - start)
    return np.abs(np.transpose(course) - days["glucose"][row]).max(), speed


def by_environment(count):
    """Return patient-days a CPU-second of episodes of a day with sensors, meals and actions."""
    env = InsulinDosingVectorEnv(num_envs=count, days=1)
    actions = np.random.default_rng(0).uniform(-1, 1, (288, count, 2)).astype(np.float32)
    start = time.process_time()
    env.reset(seed=0)
    for action in actions[:-1]:  # the last step would begin the next episode
        env.step(action)
    return count * 287 / 288 / (time.process_time() - start)


def main(count):
    """Print the table; return the exit status."""
    if not PEER.is_file():
        print(f"{PEER} is missing: run  make bench")
        return 1
    by_environment(30)  # imports and first calls are not timed
    days, theirs = by_simglucose()
    error, raw = by_simulator(days, count)
    environment = by_environment(count)

    print(f"{count} patients side by side in medml, {len(NAMES)} in turn in simglucose\n")
    print(f"{'':<22}{'patient-days/CPU-s':>20}{'ratio':>10}")
    rows = {"medml simulator": raw, "medml environment": environment, "simglucose 0.2.11": theirs}
    for name, speed in rows.items():
        print(f"{name:<22}{speed:>20,.2f}{speed / theirs:>10,.0f}")
    print(f"\nlargest difference in glucose: {error:.4f} mg/dL")
    passed = (raw >= RAW_BAR, environment >= ENVIRONMENT_BAR, raw / theirs >= RATIO_BAR)
    return int(not (all(passed) and error <= ERROR_BAR))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1920))
