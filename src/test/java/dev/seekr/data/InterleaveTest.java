package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class InterleaveTest {
  private static List<String> named(String letter, int n) {
    return IntStream.rangeClosed(1, n).mapToObj(i -> letter + i).toList();
  }

  private static List<Interleave<String>> of(int n, int r) {
    return Interleave.of(named("n", n), named("r", r));
  }

  static Stream<Arguments> examples() {
    return Stream.of(
        arguments(4, 2, "n1 r1 n2 n3 r2 n4"),
        arguments(5, 2, "n1 r1 n2 n3 n4 r2 n5"),
        arguments(7, 2, "n1 n2 r1 n3 n4 n5 n6 r2 n7"),
        arguments(6, 3, "n1 r1 n2 n3 r2 n4 n5 r3 n6"),
        arguments(3, 2, "r1 n1 n2 r2 n3"),
        arguments(2, 2, "r1 n1 r2 n2"),
        arguments(3, 1, "n1 n2 r1 n3"),
        arguments(1, 1, "r1 n1"),
        arguments(2, 4, "r1 r2 r3 n1 r4 n2"),
        arguments(2, 5, "r1 r2 r3 r4 n1 r5 n2"),
        arguments(1, 3, "r1 r2 r3 n1"),
        arguments(3, 0, "n1 n2 n3"),
        arguments(0, 2, "r1 r2"),
        arguments(0, 0, ""));
  }

  @ParameterizedTest
  @MethodSource
  void examples(int n, int r, String expected) {
    var items = of(n, r).stream().map(Interleave::item).toList();
    assertThat(String.join(" ", items)).isEqualTo(expected);
  }

  @Test
  void allAreTakenOnceInOrderAndTagged() {
    for (int n = 0; n <= 40; n++) {
      for (int r = 0; r <= 40; r++) {
        var fresh = new ArrayList<String>();
        var replayed = new ArrayList<String>();
        for (var i : of(n, r)) (i.replay() ? replayed : fresh).add(i.item());
        assertThat(fresh).isEqualTo(named("n", n));
        assertThat(replayed).isEqualTo(named("r", r));
      }
    }
  }

  static Stream<Arguments> cycles() {
    return Stream.of(
        arguments(4, 2, "n1 r1 n2 n3 r2 n4"),
        arguments(5, 2, "n1 r1 n2 n3 r2 n4 n5"),
        arguments(7, 2, "n1 n2 r1 n3 n4 n5 r2 n6 n7"),
        arguments(5, 3, "r1 n1 r2 n2 r3 n3 r1 n4 r2 n5"),
        arguments(7, 3, "n1 r1 n2 n3 r2 n4 n5 r3 n6 n7"),
        arguments(9, 4, "n1 r1 n2 n3 r2 n4 n5 r3 n6 n7 r4 n8 n9"),
        arguments(11, 3, "n1 n2 r1 n3 n4 n5 r2 n6 n7 n8 r3 n9 n10 n11"),
        arguments(2, 2, "r1 n1 r2 n2"),
        arguments(2, 3, "r1 n1 r2 n2"),
        arguments(3, 0, "n1 n2 n3"),
        arguments(0, 2, ""));
  }

  /** Before each ⌊n/r⌋-th new one, begun again where they run out. */
  @ParameterizedTest
  @MethodSource
  void cycles(int n, int r, String expected) {
    var items = Interleave.cycle(named("n", n), named("r", r));
    assertThat(String.join(" ", items.stream().map(Interleave::item).toList())).isEqualTo(expected);
    assertThat(items.stream().filter(Interleave::replay)).hasSize(Interleave.cycled(n, r));
    for (var item : items) assertThat(item.replay()).isEqualTo(item.item().startsWith("r"));
  }

  /** As the formula has it, and so that no stretch of an epoch is without replay. */
  @Test
  void replayedOnesAreSpreadEvenly() {
    for (int n = 1; n <= 60; n++) {
      for (int r = 1; r <= 90; r++) {
        var items = of(n, r);
        int fresh = 0, replayed = 0;
        for (var item : items) {
          if (item.replay()) {
            assertThat(fresh).isEqualTo(Math.max(0, (replayed + 1) * n / r - 1));
            replayed++;
          } else {
            fresh++;
          }
          assertThat(Math.abs((double) fresh / n - (double) replayed / r))
              .as("%d of %d, %d of %d", fresh, n, replayed, r)
              .isLessThanOrEqualTo((r > n ? 2.0 : 1.0) / n + 1.0 / r);
        }
      }
    }
  }
}
