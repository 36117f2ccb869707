package dev.seekr.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class FreeRangesTest {
  private static final long A = FreeRanges.ALIGN;
  private final FreeRanges ranges = new FreeRanges();

  @Test
  void nothingIsGivenTwice() {
    ranges.add(0, 1000 * A);
    ranges.add(1 << 30, 10 * A);
    var random = new SplittableRandom(1);
    var held = new TreeMap<Long, Long>();
    for (int i = 0; i < 20_000; i++) {
      if (random.nextBoolean() && !held.isEmpty()) {
        long address = held.floorKey(random.nextBoolean() ? Long.MAX_VALUE : held.firstKey());
        ranges.give(address, held.remove(address));
        continue;
      }
      long bytes = random.nextLong(0, 60 * A);
      var taken = ranges.take(bytes);
      if (taken.isEmpty()) {
        assertThat(ranges.largest()).isLessThan(FreeRanges.rounded(bytes));
        continue;
      }
      long address = taken.getAsLong();
      assertThat(address % A).isZero();
      var below = held.floorEntry(address);
      var above = held.ceilingEntry(address);
      if (below != null)
        assertThat(below.getKey() + FreeRanges.rounded(below.getValue()))
            .isLessThanOrEqualTo(address);
      if (above != null)
        assertThat(address + FreeRanges.rounded(bytes)).isLessThanOrEqualTo(above.getKey());
      held.put(address, bytes);
    }
    held.forEach(ranges::give);
    assertThat(ranges.largest()).as("all neighbours have joined").isEqualTo(1000 * A);
    assertThat(ranges.removeFree()).hasValue(0);
    assertThat(ranges.removeFree()).hasValue(1 << 30);
    assertThat(ranges.removeFree()).isEmpty();
  }

  @Test
  void theSmallestRangeThatFitsIsTaken() {
    ranges.add(0, 8 * A);
    ranges.add(100 * A, 3 * A);
    assertThat(ranges.take(2 * A + 1)).hasValue(100 * A);
    assertThat(ranges.take(1)).hasValue(0);
    assertThat(ranges.take(8 * A)).isEmpty();
    assertThat(ranges.take(0)).as("even nothing has an address of its own").hasValue(A);
  }

  @Test
  void chunksSideBySideStayApart() {
    ranges.add(0, 2 * A);
    ranges.add(2 * A, 2 * A);
    long first = ranges.take(2 * A).orElseThrow(), second = ranges.take(2 * A).orElseThrow();
    ranges.give(second, 2 * A);
    ranges.give(first, 2 * A);
    assertThat(ranges.largest()).isEqualTo(2 * A);
  }
}
