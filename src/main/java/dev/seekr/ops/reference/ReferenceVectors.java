package dev.seekr.ops.reference;

import dev.seekr.ops.AdamWStep;
import dev.seekr.ops.Op;
import dev.seekr.ops.Pair;
import dev.seekr.ops.Pull;
import dev.seekr.ops.Scaled;

/** The optimizer's family of the reference. */
final class ReferenceVectors {
  private ReferenceVectors() {}

  static void adamw(AdamWStep a) {
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
