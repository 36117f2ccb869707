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
        arguments(5, 2, "n1 r1 n2 n3 r2 n4 n5"),
        arguments(7, 2, "n1 n2 r1 n3 n4 n5 r2 n6 n7"),
        arguments(6, 3, "n1 r1 n2 n3 r2 n4 n5 r3 n6"),
        arguments(3, 2, "r1 n1 r2 n2 n3"),
        arguments(2, 2, "r1 n1 r2 n2"),
        arguments(3, 1, "n1 n2 r1 n3"),
        arguments(1, 1, "r1 n1"),
        arguments(2, 4, "r1 r2 n1 r3 r4 n2"),
        arguments(2, 5, "r1 r2 n1 r3 r4 r5 n2"),
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

  @Test
  void withNoMoreReplayedThanNewTheJthComesJustBeforeItsTurn() {
    for (int n = 1; n <= 40; n++) {
      for (int r = 1; r <= n; r++) {
        var items = of(n, r).stream().map(Interleave::item).toList();
        for (int j = 1; j <= r; j++) {
          assertThat(items.get(items.indexOf("r" + j) + 1)).isEqualTo("n" + j * (n / r));
        }
      }
    }
  }

  @Test
  void withMoreReplayedThanNewTheyAreSpreadEvenly() {
    for (int n = 1; n <= 20; n++) {
      for (int r = n + 1; r <= 60; r++) {
        int run = 0;
        for (var i : of(n, r)) {
          if (i.replay()) {
            run++;
          } else {
            assertThat(run).isBetween(r / n, (r + n - 1) / n);
            run = 0;
          }
        }
        assertThat(run).as("none left for the end").isZero();
      }
    }
  }
}
