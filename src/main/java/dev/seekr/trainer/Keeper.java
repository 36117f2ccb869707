package dev.seekr.trainer;

import dev.seekr.state.Stateful;

/** Who saves the state of a run. */
public interface Keeper {
  /** Saves nothing. */
  Keeper NONE =
      new Keeper() {
        @Override
        public void between(Stateful run, boolean stageEnds) {}

        @Override
        public void save(Stateful run) {}
      };

  /** The run is between two steps, or two stages: it is saved where it is time to. */
  void between(Stateful run, boolean stageEnds);

  /** Saves the run, and returns when that is done. */
  void save(Stateful run);
}
