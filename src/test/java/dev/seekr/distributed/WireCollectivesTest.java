package dev.seekr.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What processes do together comes out alike in all of them, and is what it is said to be. */
class WireCollectivesTest {
  /** Elements that go over the wire at once here. */
  private static final int PIECE = 100;

  private static <T> List<T> run(int ranks, Function<WireCollectives, T> process) {
    return ThreadWire.run(
        ranks,
        wire -> {
          try (var all = new WireCollectives(wire, 0, new HostTensors(wire, PIECE))) {
            return process.apply(all);
          }
        });
  }

  private static float[] values(int n, int rank, DType dtype) {
    var random = new SplittableRandom(1000 * n + rank);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
      if (dtype == DType.BF16) values[i] = DType.fromBf16(DType.toBf16(values[i]));
    }
    return values;
  }

  private static float[] expected(int n, int ranks, DType dtype) {
    float[] sum = values(n, 0, dtype);
    for (int r = 1; r < ranks; r++) {
      float[] more = values(n, r, dtype);
      for (int i = 0; i < n; i++) sum[i] += more[i];
    }
    if (dtype == DType.BF16)
      for (int i = 0; i < n; i++) sum[i] = DType.fromBf16(DType.toBf16(sum[i]));
    return sum;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 2, F32",
    "63, 2, F32",
    "64, 2, F32",
    "129, 2, F32",
    "1000, 2, BF16",
    "1000, 3, F32",
    "777, 4, BF16",
    "5, 4, F32",
    "4096, 4, F32",
    "0, 2, F32"
  })
  void sumsAreInTheOrderOfRanks(int n, int ranks, DType dtype) {
    var sums =
        run(
            ranks,
            all -> {
              try (var memory = new Memory("test")) {
                Tensor flat = memory.allocate("test", dtype, n);
                flat.copyFrom(values(n, all.rank(), dtype));
                all.sum(flat);
                return flat.toFloats();
              }
            });
    float[] expected = expected(n, ranks, dtype);
    for (float[] sum : sums) assertThat(sum).containsExactly(expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void eachHasItsPartOfASum(int ranks) {
    int n = 1001;
    float[] expected = expected(n, ranks, DType.F32);
    long covered = 0;
    for (int r = 0; r < ranks; r++) {
      var part = Slice.of(n, r, ranks);
      assertThat(part.from()).isEqualTo(covered);
      assertThat(part.from() % 64).isZero();
      covered += part.n();
    }
    assertThat(covered).isEqualTo(n);
    run(
        ranks,
        all -> {
          try (var memory = new Memory("test")) {
            Tensor flat = memory.allocate("test", DType.F32, n);
            flat.copyFrom(values(n, all.rank(), DType.F32));
            var there = all.summing(flat);
            there.run();
            var part = Slice.of(n, all.rank(), ranks);
            float[] mine = part.of(flat).toFloats();
            for (int i = 0; i < mine.length; i++)
              assertThat(mine[i]).isEqualTo(expected[(int) part.from() + i]);
            all.gatherParts(flat);
            assertThat(flat.toFloats()).containsExactly(expected);
          }
          return null;
        });
  }

  /** 2 (p - 1) / p of a tensor is the least that a sum can do with. */
  @Test
  void aSumSendsNoMoreThanItMust() {
    int n = 64 * 30, ranks = 3;
    run(
        ranks,
        all -> {
          try (var memory = new Memory("test")) {
            all.sum(memory.allocate("test", DType.F32, n));
          }
          assertThat(all.cost().sent()).isEqualTo(2L * (ranks - 1) * 4 * n / ranks);
          return null;
        });
  }

  @Test
  void bytesOfAnyLengthAreGathered() {
    run(
        3,
        all -> {
          byte[] mine = new byte[all.rank() * 7];
          java.util.Arrays.fill(mine, (byte) (all.rank() + 1));
          byte[][] everyone = all.gather(mine);
          assertThat(everyone.length).isEqualTo(3);
          for (int r = 0; r < 3; r++) {
            assertThat(everyone[r]).hasSize(7 * r);
            for (byte b : everyone[r]) assertThat(b).isEqualTo((byte) (r + 1));
          }
          return null;
        });
  }

  @Test
  void eachResultStandsInItsPlace() {
    run(
        3,
        all -> {
          double[][] results = all.each(8, i -> new double[] {i, i * i});
          for (int i = 0; i < 8; i++) assertThat(results[i]).containsExactly(i, i * i);
          return null;
        });
  }

  @Test
  void aWishOfOneIsAWishOfAll() {
    run(
        3,
        all -> {
          assertThat(all.any(all.rank() == 2)).isTrue();
          assertThat(all.any(false)).isFalse();
          return null;
        });
  }

  @Test
  void whatFailsInOneFailsInAll() {
    run(
        3,
        all -> {
          var failure =
              catchThrowableOfType(
                  Collectives.Agreed.class,
                  () ->
                      all.agree(
                          () -> {
                            if (all.rank() > 0) throw Failure.data("of %d", all.rank());
                            return 1;
                          }));
          assertThat(failure).hasMessage("process 1 of 3: of 1");
          assertThat(failure.exit).isEqualTo(Failure.Exit.DATA);
          assertThat(failure.said).isEqualTo(all.rank() == 0);
          assertThat(all.agree(() -> 5)).isEqualTo(5);
          return null;
        });
  }

  @Test
  void theFirstDoesItForAll() {
    run(
        2,
        all -> {
          var failure =
              catchThrowableOfType(
                  Failure.class,
                  () ->
                      all.first(
                          () -> {
                            assertThat(all.rank()).isZero();
                            throw new Failure(Failure.Exit.IO, "the disk is full");
                          }));
          assertThat(failure).hasMessage("process 0 of 2: the disk is full");
          return null;
        });
  }
}
