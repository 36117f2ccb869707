package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.model.LlamaConfig;
import dev.seekr.ops.Ops;

/** The one place that knows methods by name. */
public final class Methods {
  private Methods() {}

  public static Method of(RunConfig config, LlamaConfig model, Ops ops) {
    int L = model.L();
    return switch (config.method().name()) {
      case seqft -> new SeqFT(L);
      case ewc -> new Ewc(config, model, ops);
      case lwf -> new Lwf(config, L);
      case lora -> new LowRank(config, L, ops);
      case olora -> new OLora(config, L, ops);
      case l2p -> new L2p(config, L, ops);
      case pp -> new ProgressivePrompts(config, L, ops);
      case lfpt5 -> new Lfpt5(config, L, ops);
      case replay -> new Replay(config, L);
      case derpp -> new DerPlusPlus(config, L);
      case seekr -> new Seekr(config, L, ops);
      case mtl -> new Mtl(L);
    };
  }
}
