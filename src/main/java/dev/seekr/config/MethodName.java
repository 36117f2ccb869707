package dev.seekr.config;

import java.util.Set;

/** The continual-learning methods, and what settings and other parts must know of each. */
public enum MethodName {
  seqft,
  ewc(Trait.GRADIENTS),
  lwf(Trait.SIGNALS),
  lora(Trait.ADAPTERS),
  olora(Trait.ADAPTERS),
  l2p(Trait.PROMPTS),
  pp(Trait.PROMPTS),
  lfpt5(Trait.PROMPTS, Trait.SAMPLES),
  replay(Trait.SAMPLES),
  agem(Trait.SAMPLES, Trait.GRADIENTS),
  derpp(Trait.SAMPLES, Trait.SIGNALS),
  seekr(Trait.SAMPLES, Trait.SIGNALS),
  mtl;

  /** What several methods have in common. */
  public enum Trait {
    /** Keeps samples of finished tasks: method.replay_ratio, replay_samples and replay_choice. */
    SAMPLES,
    /** Stores what a model said of samples: method.buffer_dtype. */
    SIGNALS,
    /** Trains soft prompts, and no weights: method.prompt. */
    PROMPTS,
    /** Trains adapters, whatever train.parameters says: method.lora. */
    ADAPTERS,
    /** Changes the sums of gradients of all weights: train.state must leave them in f32. */
    GRADIENTS
  }

  private final Set<Trait> traits;

  MethodName(Trait... traits) {
    this.traits = Set.of(traits);
  }

  /** Whether it does what the trait says. */
  public boolean has(Trait trait) {
    return traits.contains(trait);
  }
}
