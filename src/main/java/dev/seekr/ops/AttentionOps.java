package dev.seekr.ops;

/** Causal attention, and all that SEEKR asks of it. */
public interface AttentionOps extends Dispatch {
  /** o and lse from qkv. */
  default void attentionForward(Attention attention) {
    run(Op.ATTENTION_FWD, attention);
  }

  /** dqkv, and with it sensitivities and the distillation of sampled queries. */
  default void attentionBackward(AttentionGradient gradient) {
    run(Op.ATTENTION_BWD, gradient);
  }

  /** Softmax rows of sampled queries. */
  default void attentionCapture(AttentionRows rows) {
    run(Op.ATTENTION_CAPTURE, rows);
  }

  /** How far two models' attention lies apart. */
  default void attentionDifference(AttentionChange change) {
    run(Op.ATTENTION_DIFF, change);
  }

  /** One token of each sequence, with caches of keys and values. */
  default void attentionDecode(Decode decode) {
    run(Op.ATTENTION_DECODE, decode);
  }
}
