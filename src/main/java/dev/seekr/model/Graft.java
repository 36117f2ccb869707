package dev.seekr.model;

import dev.seekr.ops.Ops.Heads;
import java.util.Optional;

/**
 * Another model's attention in place of a model's own, at inference (SEEKR's Figure 1): where the
 * model sums its values, the rows of probabilities are those that the other one has on the same
 * tokens, of its own residual stream. Everything else is the model's own.
 *
 * @param from the other model, of the same shape; it stays its maker's, and has its own room
 * @param heads whose attention is replaced [L][NH]; null: all
 */
public record Graft(LlamaModel from, boolean[][] heads) {

  /** What forbids to graft between models of two shapes, in words; empty: nothing. */
  public static Optional<String> mismatch(LlamaConfig other, LlamaConfig own) {
    if (other.L() != own.L()) return differ("layers", other.L(), own.L());
    if (!other.heads().equals(own.heads())) return differ("heads", other.heads(), own.heads());
    if (other.C() != own.C()) return differ("channels", other.C(), own.C());
    if (other.F() != own.F()) return differ("feed-forward width", other.F(), own.F());
    if (other.V() != own.V()) return differ("vocabulary", other.V(), own.V());
    if (!other.forms().equals(own.forms())) return Optional.of("layers are of another form");
    return Optional.empty();
  }

  private static Optional<String> differ(String what, Object other, Object own) {
    return Optional.of("%s: %s, not %s".formatted(what, other, own));
  }

  boolean takes(int l, int h) {
    return heads == null || heads[l][h];
  }

  /**
   * How heads lie in rows of both: query heads that share a key do so no longer where some of them
   * keep their own.
   */
  Heads layout(Heads own) {
    return heads == null ? own : new Heads(own.NH(), own.NH(), own.HS());
  }
}
