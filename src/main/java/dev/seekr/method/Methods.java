package dev.seekr.method;

/** The one place that knows methods by name. */
public final class Methods {
  private Methods() {}

  public static Method of(Setup setup) {
    return switch (setup.config().method().name()) {
      case seqft, lora -> new SeqFT(setup);
      case ewc -> new Ewc(setup);
      case lwf -> new Lwf(setup);
      case olora -> new OLora(setup);
      case l2p -> new L2p(setup);
      case pp -> new ProgressivePrompts(setup);
      case lfpt5 -> new Lfpt5(setup);
      case replay -> new Replay(setup);
      case agem -> new AGem(setup);
      case derpp -> new DerPlusPlus(setup);
      case seekr -> new Seekr(setup);
      case mtl -> new Mtl(setup);
    };
  }
}
