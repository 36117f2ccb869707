package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReplayBufferTest {
  private static final int[][] HEADS = {{0, 2}, {}, {1}};
  private static final Queries QUERIES = Queries.of(0, 2, 2);
  private static final Sample SAMPLE = new Sample(new int[] {1, 5, 6, 7, 2}, 3);

  private final Memory memory = new Memory("test");
  @TempDir Path folder;

  @AfterEach
  void free() {
    memory.close();
  }

  private Tensor random(DType dtype, long... shape) {
    Tensor t = memory.allocate("test", dtype, shape);
    for (long i = 0; i < t.size(); i++) t.set(i, Math.sin(i + shape[0]));
    return t;
  }

  private ReplayBuffer.Entry entry(DType dtype) {
    Tensor[] rows = {random(dtype, 8), null, random(dtype, 4)};
    return new ReplayBuffer.Entry(SAMPLE, random(dtype, 2, 9), QUERIES, rows);
  }

  private void write(DType dtype) {
    for (int i = 0; i < 2; i++) ReplayBuffer.write(folder, i, entry(dtype));
    ReplayBuffer.finish(folder, 2, HEADS, -1);
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "F32"})
  void whatIsKeptComesBack(DType dtype) {
    var written = entry(dtype);
    write(dtype);
    try (var buffer = ReplayBuffer.open(folder)) {
      assertThat(buffer.size()).isEqualTo(2);
      assertThat(buffer.heads()).isDeepEqualTo(HEADS);
      assertThat(buffer.logitsShift()).isEqualTo(-1);
      var read = buffer.entry(1);
      assertThat(read.sample().tokens()).isEqualTo(SAMPLE.tokens());
      assertThat(read.sample().answerStart()).isEqualTo(3);
      assertThat(read.queries().pos()).containsExactly(0, 2);
      assertThat(read.queries().count()).containsExactly(1, 2);
      assertThat(read.logits().dtype()).isEqualTo(dtype);
      assertThat(read.logits().shape()).containsExactly(2, 9);
      assertThat(read.logits().toDoubles()).isEqualTo(written.logits().toDoubles());
      for (int l : new int[] {0, 2})
        assertThat(read.rows()[l].toDoubles()).isEqualTo(written.rows()[l].toDoubles());
      assertThat(read.rows()[1]).isNull();
    }
  }

  @Test
  void tokensAloneAreEnough() {
    ReplayBuffer.write(folder, 0, new ReplayBuffer.Entry(SAMPLE, null, null, null));
    ReplayBuffer.finish(folder, 1, new int[0][], -1);
    try (var buffer = ReplayBuffer.open(folder)) {
      assertThat(buffer.entry(0).sample().tokens()).isEqualTo(SAMPLE.tokens());
      assertThat(buffer.entry(0).logits()).isNull();
      assertThat(buffer.entry(0).queries()).isNull();
    }
  }

  @Test
  void bytesAreThoseOnDisk() throws IOException {
    write(DType.F16);
    long sum = 0;
    for (String name : new String[] {"000000.safetensors", "000001.safetensors", "buffer.json"})
      sum += Files.size(folder.resolve(name));
    assertThat(ReplayBuffer.bytes(folder)).isEqualTo(sum);
  }

  @Test
  void unfinishedAndDamagedBuffersAreNamed() throws IOException {
    ReplayBuffer.write(folder, 0, entry(DType.F32));
    fails(66, "buffer.json: cannot be read");
    ReplayBuffer.finish(folder, 2, HEADS, -1);
    fails(66, "000001.safetensors");
    ReplayBuffer.finish(folder, 1, new int[][] {{0}, {}, {1}}, -1);
    fails(65, "rows.0 has 8 entries; expected 4");
    Files.writeString(folder.resolve("buffer.json"), "{");
    fails(65, "buffer.json: not JSON");
  }

  private void fails(int exit, String message) {
    assertThatThrownBy(() -> ReplayBuffer.open(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(exit))
        .hasMessageContaining(message);
  }
}
