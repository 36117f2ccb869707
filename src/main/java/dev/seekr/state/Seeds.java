package dev.seekr.state;

import java.util.SplittableRandom;

/**
 * Where all random numbers of a run come from. Each purpose has numbers of its own, which depend on
 * the run's seed and on where they are drawn (stage, epoch, ...) and on nothing else: not on the
 * method, nor on what was drawn before. So nothing about them need be saved.
 */
public final class Seeds {
  /** What numbers are drawn for. */
  public enum Purpose {
    /** Weights of a model that is not pretrained. */
    WEIGHTS,
    /** The order of new samples: stage, epoch. */
    ORDER,
    /** The order of replayed samples: stage, epoch. */
    REPLAY_ORDER,
    /** The samples kept of a stage. */
    REPLAY,
    /** The samples of a task kept apart to validate on: its name's hash. */
    HOLDOUT,
    /** The training samples of a task kept apart to test on: its name's hash, and no run's seed. */
    TEST,
    /** The general samples of an epoch: stage, epoch. */
    GENERAL,
    /** The query rows of a stage's samples. */
    QUERIES,
    /** Head scores of a stage that chance decides. */
    HEADS,
    /** The samples a stage's Fisher information is estimated on. */
    FISHER,
    /** The adapters of a stage. */
    ADAPTERS,
    /** The soft prompts of a stage. */
    PROMPTS,
    /** What makes prompts or chooses them: keys, or a network. */
    PROMPT_NETWORK,
    /** The pseudo samples of a stage. */
    PSEUDO_SAMPLES,
    /** The reference batch of a step: stage, step. */
    REFERENCE,
    /** How what an optimizer stores in bfloat16 is rounded: its step, the block of parameters. */
    ROUNDING,
    /** What a step drops of what adapters read: stage, step; then of a sequence, by its tokens. */
    DROPOUT
  }

  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private Seeds() {}

  /** Numbers for a purpose, at a place: the stage from 0, then whatever else tells places apart. */
  public static SplittableRandom of(long seed, Purpose purpose, long... where) {
    long h = mix(seed + GOLDEN_GAMMA);
    h = mix(h ^ purpose.name().hashCode() + GOLDEN_GAMMA);
    for (long w : where) h = mix(h + w + GOLDEN_GAMMA);
    return new SplittableRandom(h);
  }

  /**
   * One to one, every bit of the result depending on every bit of z (Stafford 2011, variant 13).
   */
  private static long mix(long z) {
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
