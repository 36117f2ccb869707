package dev.seekr.trainer;

import dev.seekr.config.TrainSettings;

/**
 * Learning rate over the steps of one task: linear warm-up, then constant, linear or cosine decay
 * to min_lr * lr.
 */
public record LearningRate(TrainSettings settings, int steps) {

  /** Rate of step i, counted from 0. */
  public double at(int i) {
    double lr = settings.lr();
    int warmup = Math.min(settings.warmup(), steps);
    if (i < warmup) return lr * (i + 1) / warmup;
    double done = steps == warmup ? 0 : (double) (i - warmup) / (steps - warmup);
    double share =
        switch (settings.schedule()) {
          case constant -> 1;
          case linear -> 1 - done;
          case cosine -> 0.5 * (1 + Math.cos(Math.PI * done));
        };
    return settings.schedule() == TrainSettings.Schedule.constant
        ? lr
        : lr * (settings.minLr() + (1 - settings.minLr()) * share);
  }
}
