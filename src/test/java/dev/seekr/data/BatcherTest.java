package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatcherTest {
  private static List<Integer> upTo(int n) {
    return IntStream.range(0, n).boxed().toList();
  }

  private static RandomGenerator random(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  @Test
  void anEpochHasEveryItemOnceInFullBatchesButTheLast() {
    for (int n : new int[] {0, 1, 2, 7, 63, 65, 127}) {
      for (int batch : new int[] {1, 2, 7, 64, 128}) {
        var batches = Batcher.epoch(upTo(n), batch, random(n));
        assertThat(batches).hasSize((n + batch - 1) / batch);
        assertThat(batches.stream().flatMap(List::stream).toList())
            .containsExactlyInAnyOrderElementsOf(upTo(n));
        for (int i = 0; i < batches.size(); i++) {
          assertThat(batches.get(i)).hasSize(Math.min(batch, n - i * batch));
        }
      }
    }
  }

  @Test
  void theSeedDecidesTheOrderAndTheInputStaysAsItWas() {
    var items = upTo(50);
    var first = Batcher.epoch(items, 8, random(1));
    assertThat(Batcher.epoch(items, 8, random(1))).isEqualTo(first);
    assertThat(Batcher.epoch(items, 8, random(2))).isNotEqualTo(first);
    assertThat(first.stream().flatMap(List::stream).toList()).isNotEqualTo(items);
    var random = random(1);
    assertThat(Batcher.epoch(items, 8, random)).isEqualTo(first);
    assertThat(Batcher.epoch(items, 8, random)).as("the next epoch").isNotEqualTo(first);
    assertThat(items).isEqualTo(upTo(50));
  }

  @Test
  void everyItemComesFirstAboutEquallyOften() {
    var random = random(3);
    int[] count = new int[5];
    for (int i = 0; i < 5000; i++) count[Batcher.epoch(upTo(5), 5, random).get(0).get(0)]++;
    for (int c : count) assertThat(c).isBetween(850, 1150);
  }

  @Test
  void chunksAreFullButTheLast() {
    assertThat(Batcher.chunks(List.of(3, 1, 4, 1, 5), 2))
        .containsExactly(List.of(3, 1), List.of(4, 1), List.of(5));
    assertThat(Batcher.chunks(List.of(3, 1), 2)).containsExactly(List.of(3, 1));
    assertThat(Batcher.chunks(List.of(3), 7)).containsExactly(List.of(3));
    assertThat(Batcher.chunks(List.of(), 1)).isEmpty();
  }

  @Test
  void packsAreFilledInOrderUntilTheNextDoesNotFit() {
    assertThat(Batcher.pack(List.of(3, 4, 3, 9, 1, 1, 10, 11, 2), n -> n, 10))
        .containsExactly(
            List.of(3, 4, 3), List.of(9, 1), List.of(1), List.of(10), List.of(11), List.of(2));
    assertThat(Batcher.pack(List.<Integer>of(), n -> n, 10)).isEmpty();
    assertThat(Batcher.pack(List.of(5, 6, 7), n -> n, 1))
        .containsExactly(List.of(5), List.of(6), List.of(7));
    int large = Integer.MAX_VALUE;
    assertThat(Batcher.pack(List.of(large, large), n -> n, large)).hasSize(2);
  }

  @Test
  void anyLengthsArePackedWholeAndGreedily() {
    var random = new SplittableRandom(4);
    for (int run = 0; run < 200; run++) {
      var lengths = random.ints(random.nextInt(40), 1, 50).boxed().toList();
      int tokens = 1 + random.nextInt(100);
      var packs = Batcher.pack(lengths, n -> n, tokens);
      assertThat(packs.stream().flatMap(List::stream).toList()).isEqualTo(lengths);
      for (int i = 0; i < packs.size(); i++) {
        int sum = packs.get(i).stream().mapToInt(n -> n).sum();
        if (packs.get(i).size() > 1) assertThat(sum).isLessThanOrEqualTo(tokens);
        if (i + 1 < packs.size()) {
          assertThat(sum + packs.get(i + 1).getFirst()).isGreaterThan(tokens);
        }
      }
    }
  }
}
