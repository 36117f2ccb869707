package dev.seekr.ops.reference;

import dev.seekr.ops.AdamWStep;
import dev.seekr.ops.Op;
import dev.seekr.ops.Pair;
import dev.seekr.ops.Pull;
import dev.seekr.ops.Scaled;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;

/** The optimizer's family of the reference. */
final class ReferenceVectors {
  private ReferenceVectors() {}

  static void adamw(AdamWStep a) {
    if (a.narrow()) {
      narrowAdamw(a);
      return;
    }
    double b1 = a.beta1(), b2 = a.beta2();
    for (long i = 0; i < a.w().size(); i++) {
      double gradient = a.gradScale() * a.g().get(i);
      double mean = b1 * a.m().get(i) + (1 - b1) * gradient;
      double square = b2 * a.v().get(i) + (1 - b2) * gradient * gradient;
      double root = Math.sqrt(square / (1 - Math.pow(b2, a.step())));
      double change = mean / (1 - Math.pow(b1, a.step())) / (root + a.eps());
      a.m().set(i, mean);
      a.v().set(i, square);
      a.w().add(i, -a.lr() * (change + a.decay() * a.w().get(i)));
      if (a.rounded() != null) a.rounded().set(i, a.w().get(i));
    }
  }

  /** In float, as every library: the bits are the same. */
  private static void narrowAdamw(AdamWStep a) {
    float b1 = a.beta1(), b2 = a.beta2();
    float unbias1 = (float) (1 / (1 - Math.pow(b1, a.step())));
    float unbias2 = (float) (1 / (1 - Math.pow(b2, a.step())));
    for (long i = 0; i < a.w().size(); i++) {
      float gradient = a.gradScale() * (float) a.g().get(i), before = (float) a.w().get(i);
      float mean = b1 * (float) a.m().get(i) + (1 - b1) * gradient;
      float square = b2 * (float) a.v().get(i) + (1 - b2) * (gradient * gradient);
      float root = (float) Math.sqrt(square * unbias2);
      float change = mean * unbias1 / (root + a.eps()) + a.decay() * before;
      int random = a.random(i);
      draw(a.m(), i, mean, random);
      draw(a.v(), i, square, random >>> 16);
      draw(a.w(), i, before - a.lr() * change, a.randomOfW(i));
    }
  }

  private static void draw(Tensor t, long i, float x, int random) {
    t.set(i, t.dtype() == DType.BF16 ? DType.fromBf16(DType.toBf16(x, random)) : x);
  }

  static void dot(Pair a) {
    double sum = 0;
    for (long i = 0; i < a.x().size(); i++) sum += a.x().get(i) * a.y().get(i);
    a.out().set(0, sum);
  }

  static void add(Scaled a) {
    for (long i = 0; i < a.y().size(); i++) {
      double x = a.x().get(i);
      a.y().add(i, a.scale() * (a.op() == Op.ADD_SQUARES ? x * x : x));
    }
  }

  static void anchor(Pull a) {
    double penalty = 0;
    for (long i = 0; i < a.g().size(); i++) {
      double away = a.w().get(i) - a.anchor().get(i), pull = a.lambda() * a.fisher().get(i);
      penalty += pull * away * away / 2;
      a.g().add(i, pull * away);
    }
    a.out().set(0, penalty);
  }
}
