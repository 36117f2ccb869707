package dev.seekr.tokenizer;

import dev.seekr.tokenizer.Regex.Group;
import dev.seekr.tokenizer.Regex.Look;
import dev.seekr.tokenizer.Regex.Mode;
import dev.seekr.tokenizer.Regex.One;
import dev.seekr.tokenizer.Regex.Point;
import dev.seekr.tokenizer.Regex.Repeat;
import dev.seekr.tokenizer.Regex.Sequence;
import java.util.List;

/**
 * What a search for a pattern may cost at most: its engine goes back and tries again, and ends the
 * process after ten million attempts from one place. A pattern is let through when the attempts
 * from one place grow no faster than the text behind it.
 *
 * @param attempts from one place, for each character of the text; at least 1
 * @param rescans whether the same characters may be gone through again from the next place, so that
 *     time may grow with the square of the text
 */
record RegexCost(double attempts, boolean rescans) {
  /** Of attempts that do not depend on the text. */
  private static final double MOST_ALWAYS = 1e5;

  /** At most so many for a text of n characters: {@code always} + {@code each} n. */
  private record Steps(double always, double each) {
    static final Steps ZERO = new Steps(0, 0), ONE = new Steps(1, 0), TEXT = new Steps(0, 1);

    Steps plus(Steps o) {
      return new Steps(always + o.always, each + o.each);
    }

    Steps times(Steps o) throws Regex.Unknown {
      if (each > 0 && o.each > 0)
        throw new Regex.Unknown("what it tries from one place grows faster than the text");
      return new Steps(always * o.always, always * o.each + each * o.always);
    }

    boolean several() {
      return each > 0 || always > 1;
    }
  }

  /** Throws Unknown where no bound is known, or none that helps. */
  static RegexCost of(Group whole) throws Regex.Unknown {
    Steps steps = explore(whole, false);
    // Neither infinite nor no number.
    if (!(steps.always <= MOST_ALWAYS && steps.each <= MOST_ALWAYS))
      throw new Regex.Unknown("it may be tried in too many ways");
    return new RegexCost(Math.max(1, steps.each), rescans(whole));
  }

  /**
   * Attempts until {@code regex} has matched and, where what {@code follows} it can fail, until all
   * ways to match it are tried.
   */
  private static Steps explore(Regex regex, boolean follows) throws Regex.Unknown {
    return switch (regex) {
      case One _, Point _ -> Steps.ONE;
      case Look l -> explore(l.body(), false);
      case Group g -> {
        var sum = Steps.ZERO;
        for (Sequence s : g.alternatives()) sum = sum.plus(explore(s, follows && !g.atomic()));
        yield sum;
      }
      case Sequence s -> {
        var sum = Steps.ONE;
        var ways = Steps.ONE;
        for (int i = 0; i < s.parts().size(); i++) {
          Regex part = s.parts().get(i);
          boolean rest = follows || canFail(s.parts(), i + 1);
          Steps all = explore(part, rest);
          // When nothing can fail any more, only the last attempt goes all the way.
          sum = sum.plus(rest ? ways.times(all) : ways.times(miss(part)).plus(all));
          ways = ways.times(ways(part, rest));
        }
        yield sum;
      }
      case Repeat r -> {
        boolean again = again(r, follows);
        Steps once = explore(r.body(), again), ways = ways(r.body(), again);
        if (r.max() == Regex.MANY) {
          if (ways.several() || Regex.matchesNothing(r.body()))
            throw new Regex.Unknown(
                "a part without end repeats one that can match in several ways");
          // A single character that fits is not tried again by itself.
          yield r.body() instanceof One ? Steps.ONE : Steps.TEXT.times(once).plus(Steps.ONE);
        }
        var sum = Steps.ONE;
        var before = Steps.ONE;
        for (int i = 0; i < r.max(); i++) {
          if (i > 0) before = before.times(ways);
          sum = sum.plus(before.times(once));
        }
        yield sum;
      }
    };
  }

  /** Attempts until it is known that {@code regex} does not match. */
  private static Steps miss(Regex regex) throws Regex.Unknown {
    if (!canFail(regex)) return Steps.ZERO;
    return switch (regex) {
      case One _, Point _, Look _ -> explore(regex, true);
      case Group g -> {
        var sum = Steps.ZERO;
        for (Sequence s : g.alternatives()) sum = sum.plus(miss(s));
        yield sum;
      }
      case Sequence s -> {
        var sum = Steps.ZERO;
        var ways = Steps.ONE;
        for (Regex part : s.parts()) {
          boolean last = part == s.parts().getLast();
          sum = sum.plus(ways.times(last ? miss(part) : explore(part, true)));
          ways = ways.times(ways(part, true));
        }
        yield sum;
      }
      case Repeat r -> r.min() == 1 ? miss(r.body()) : explore(r, true);
    };
  }

  /** In how many ways it may match from one place, as far as what follows asks for another. */
  private static Steps ways(Regex regex, boolean follows) throws Regex.Unknown {
    if (!follows) return Steps.ONE;
    return switch (regex) {
      case One _, Point _, Look _ -> Steps.ONE;
      case Group g -> {
        var sum = Steps.ZERO;
        for (Sequence s : g.alternatives()) sum = sum.plus(ways(s, true));
        yield g.atomic() ? Steps.ONE : sum;
      }
      case Sequence s -> {
        var product = Steps.ONE;
        for (Regex part : s.parts()) product = product.times(ways(part, true));
        yield product;
      }
      case Repeat r -> {
        if (r.mode() == Mode.POSSESSIVE) yield Steps.ONE;
        if (r.max() == Regex.MANY) yield Steps.TEXT;
        Steps sum = Steps.ZERO, product = Steps.ONE, once = ways(r.body(), true);
        for (int i = 0; i <= r.max(); i++) {
          if (i > 0) product = product.times(once);
          if (i >= r.min()) sum = sum.plus(product);
        }
        yield sum;
      }
    };
  }

  /** Whether one repetition may be gone back into. */
  private static boolean again(Repeat r, boolean follows) {
    return follows && r.mode() != Mode.POSSESSIVE || r.min() > 1;
  }

  private static boolean canFail(List<Regex> parts, int from) {
    return parts.subList(from, parts.size()).stream().anyMatch(RegexCost::canFail);
  }

  private static boolean canFail(Regex regex) {
    return switch (regex) {
      case One _, Point _, Look _ -> true;
      case Group g -> g.alternatives().stream().allMatch(RegexCost::canFail);
      case Sequence s -> canFail(s.parts(), 0);
      case Repeat r -> r.min() > 0 && canFail(r.body());
    };
  }

  /**
   * Whether an attempt may look at much more than it takes. Harmless is a repetition at the end of
   * an alternative, or one that a later alternative begins with in the same way and then takes.
   */
  private static boolean rescans(Group whole) {
    var all = whole.alternatives();
    if (all.size() == 1
        && all.getFirst().parts().size() == 1
        && all.getFirst().parts().getFirst() instanceof Group inner) return rescans(inner);
    for (int a = 0; a < all.size(); a++) {
      var parts = all.get(a).parts();
      for (int p = 0; p < parts.size(); p++) {
        if (!endless(parts.get(p))) continue;
        if (!(repeated(parts.get(p)) instanceof One one)) return true;
        if (taken(parts, p, one)) continue;
        if (!takenLater(all.subList(a + 1, all.size()), parts.subList(0, p), one)) return true;
      }
    }
    return false;
  }

  /** What repetitions, and repetitions of them, are of. */
  private static Regex repeated(Regex regex) {
    return regex instanceof Repeat r ? repeated(r.body()) : regex;
  }

  /** Whether how much it looks at is without bound. */
  private static boolean endless(Regex regex) {
    return switch (regex) {
      case One _, Point _ -> false;
      case Look l -> endless(l.body());
      case Group g -> g.alternatives().stream().anyMatch(RegexCost::endless);
      case Sequence s -> s.parts().stream().anyMatch(RegexCost::endless);
      case Repeat r -> r.max() == Regex.MANY || endless(r.body());
    };
  }

  /**
   * Whether the first of {@code later} that does not need more than {@code before} and repetitions
   * of {@code one} takes them all; those before it begin so too.
   */
  private static boolean takenLater(List<Sequence> later, List<Regex> before, One one) {
    int p = before.size();
    for (Sequence s : later) {
      var parts = s.parts();
      boolean same =
          parts.size() > p
              && parts.subList(0, p).equals(before)
              && parts.get(p) instanceof Repeat(Regex body, int min, int max, Mode mode)
              && body.equals(one)
              && min <= 1
              && max == Regex.MANY
              && mode != Mode.LAZY;
      if (!same) return false;
      if (taken(parts, p, one)) return true;
    }
    return false;
  }

  /**
   * Whether the match ends with what {@code parts[p]} repeats: nothing after it can fail, or only
   * that no non-space follows spaces, which holds when the last is given back.
   */
  private static boolean taken(List<Regex> parts, int p, One one) {
    if (!canFail(parts, p + 1)) return true;
    return parts.size() == p + 2
        && one.text().equals("\\s")
        && parts.getLast().equals(NO_NON_SPACE)
        && parts.get(p) instanceof Repeat r
        && r.mode() == Mode.GREEDY;
  }

  private static final Look NO_NON_SPACE =
      new Look("(?!", new Group(List.of(new Sequence(List.of(new One("\\S")))), false));
}
