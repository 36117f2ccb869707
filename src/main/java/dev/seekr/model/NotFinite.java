package dev.seekr.model;

import dev.seekr.Failure;

/** Logits that are NaN or infinite where a token was to be chosen by them (65). */
public final class NotFinite extends Failure {
  NotFinite() {
    super(Exit.DATA, "the model's logits are not finite: its weights are damaged or too large");
  }
}
