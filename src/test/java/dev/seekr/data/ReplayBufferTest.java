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
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReplayBufferTest {
  private static final int[][] HEADS = {{0, 2}, {}, {1}};
  private static final SampledQueries QUERIES = SampledQueries.of(0, 2, 2);
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
    write(HEADS, entry(dtype), entry(dtype));
  }

  private void write(int[][] heads, ReplayBuffer.Entry... entries) {
    ReplayBuffer.write(buffer(), heads, -1, out -> List.of(entries).forEach(out));
  }

  private Path buffer() {
    return folder.resolve("buffer");
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "F32"})
  void whatIsKeptComesBack(DType dtype) {
    var written = entry(dtype);
    write(dtype);
    var buffer = ReplayBuffer.open(buffer());
    assertThat(buffer.size()).isEqualTo(2);
    assertThat(buffer.heads()).isDeepEqualTo(HEADS);
    assertThat(buffer.logitsShift()).isEqualTo(-1);
    assertThat(buffer.sample(1)).isEqualTo(SAMPLE);
    var read = buffer.read(1, memory);
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

  @Test
  void tokensAloneAreEnough() {
    write(new int[0][], new ReplayBuffer.Entry(SAMPLE, null, null, null));
    var read = ReplayBuffer.open(buffer()).read(0, memory);
    assertThat(read.sample().tokens()).isEqualTo(SAMPLE.tokens());
    assertThat(read.logits()).isNull();
    assertThat(read.queries()).isNull();
  }

  @Test
  void aBufferOfNothing() {
    write(HEADS);
    assertThat(ReplayBuffer.open(buffer()).size()).isZero();
  }

  @Test
  void bytesAreThoseOnDisk() throws IOException {
    write(DType.F16);
    long sum = 0;
    for (String name : new String[] {"000000.safetensors", "000001.safetensors", "buffer.json"})
      sum += Files.size(buffer().resolve(name));
    assertThat(ReplayBuffer.open(buffer()).bytes()).isEqualTo(sum);
  }

  @Test
  void aBufferThatIsWrittenAgainTakesTheFirstOnesPlace() {
    write(DType.F32);
    write(HEADS, entry(DType.F32));
    assertThat(ReplayBuffer.open(buffer()).size()).isEqualTo(1);
    assertThat(buffer().resolve("000001.safetensors")).doesNotExist();
  }

  @Test
  void whatIsInterruptedLeavesNothing() {
    assertThatThrownBy(
            () ->
                ReplayBuffer.write(
                    buffer(),
                    HEADS,
                    -1,
                    out -> {
                      out.accept(entry(DType.F32));
                      throw new IllegalStateException("interrupted");
                    }))
        .hasMessage("interrupted");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void damagedBuffersAreNamedWhenTheyAreOpened() throws IOException {
    fails(66, "buffer.json: cannot be read");
    write(DType.F32);
    String index = Files.readString(buffer().resolve("buffer.json"));
    for (String[] change :
        new String[][] {
          {"\"version\":1", "\"version\":2", "version is 2; expected 1"},
          {"\"version\":1", "\"version\":\"1\"", "version is \"1\"; expected a whole number"},
          {"\"logits_shift\":-1", "\"logits_shift\":-2", "logits_shift is -2"},
          {"[0,2]", "[0,-2]", "heads"},
          {"\"files\"", "\"fils\"", "files is missing"},
          {"\"size\":", "\"size\":9", "is not as it was written"}
        }) {
      assertThat(index).contains(change[0]);
      Files.writeString(buffer().resolve("buffer.json"), index.replace(change[0], change[1]));
      fails(change[2].contains("written") ? 74 : 65, change[2]);
    }
    Files.writeString(buffer().resolve("buffer.json"), "{");
    fails(65, "buffer.json:1: not JSON");
    write(HEADS, entry(DType.F32));
    Files.delete(buffer().resolve("000000.safetensors"));
    fails(74, "000000.safetensors: is gone");
  }

  /** While a run goes on: shorter, another content of the same length, and not there. */
  @Test
  void filesThatChangeAreNamedWhenTheyAreRead() throws IOException {
    write(HEADS, entry(DType.F32));
    Path file = buffer().resolve("000000.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    var buffer = ReplayBuffer.open(buffer());
    Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
    unreadable(buffer, "is not as it was written");
    bytes[bytes.length - 1]++;
    Files.write(file, bytes);
    unreadable(buffer, "is not as it was written");
    Files.write(file, new byte[0]);
    unreadable(buffer, "is not as it was written");
    Files.delete(file);
    unreadable(buffer, "is gone");
    bytes[bytes.length - 1]--;
    Files.write(file, bytes);
    assertThat(buffer.read(0, memory).sample()).isEqualTo(SAMPLE);
  }

  /** What was checked is checked again when its time says that it was written since. */
  @Test
  void aFileIsCheckedOnceAndAfterEveryChange() throws IOException {
    write(new int[0][], new ReplayBuffer.Entry(SAMPLE, random(DType.F16, 2, 9), null, null));
    Path file = buffer().resolve("000000.safetensors");
    var longAgo = FileTime.fromMillis(1_000_000_000_000L);
    Files.setLastModifiedTime(file, longAgo);
    var buffer = ReplayBuffer.open(buffer());
    buffer.read(0, memory);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 2] ^= 1;
    Files.write(file, bytes);
    Files.setLastModifiedTime(file, longAgo);
    buffer.read(0, memory);
    Files.setLastModifiedTime(file, FileTime.fromMillis(longAgo.toMillis() + 1));
    unreadable(buffer, "000000.safetensors: is not as it was written");
  }

  @Test
  void rowsThatDoNotFitTheHeadsAreNamed() {
    write(new int[][] {{0}, {}, {1}}, entry(DType.F32));
    assertThatThrownBy(() -> ReplayBuffer.open(buffer()).read(0, memory))
        .hasMessageContaining("rows.0 has 8 entries; expected 4");
  }

  private void unreadable(ReplayBuffer buffer, String message) {
    assertThatThrownBy(() -> buffer.read(0, memory))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(74))
        .hasMessageContainingAll("000000.safetensors", message);
  }

  private void fails(int exit, String message) {
    assertThatThrownBy(() -> ReplayBuffer.open(buffer()))
        .as(message)
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(exit))
        .hasMessageContaining(message);
  }
}
