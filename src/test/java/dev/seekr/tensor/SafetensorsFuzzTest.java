package dev.seekr.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a file holds, opening it succeeds or is a Failure, and what was opened can be read. */
class SafetensorsFuzzTest {
  private static final String[] WORDS = {
    "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"",
    "\"F32\"", "\"BF16\"", "\"F4\"", "\"__metadata__\"", "0", "1", "4", "8", "-1", "1.5", "1e999",
    "9223372036854775807", "9223372036854775808", "null", "true", "\"\\ud800\"", "\"\\u0000\"", " "
  };
  private static final String VALID =
      "{\"__metadata__\":{\"format\":\"pt\"},"
          + "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
          + "\"b\":{\"dtype\":\"F16\",\"shape\":[0],\"data_offsets\":[8,8]},"
          + "\"c\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]}}";

  @TempDir Path folder;
  private int opened;
  private int failed;

  @Test
  void randomBytes() throws IOException {
    var random = new SplittableRandom(1);
    for (int i = 0; i < 4000; i++) {
      byte[] bytes = new byte[random.nextInt(64)];
      random.nextBytes(bytes);
      // Half of them with a plausible length, so that the header is looked at.
      open(random.nextBoolean() ? bytes : HeaderBytes.file(bytes, random.nextInt(9)));
    }
    assertThat(opened + failed).isEqualTo(4000);
    assertThat(failed).isGreaterThan(3900);
  }

  @Test
  void randomTokens() throws IOException {
    var random = new SplittableRandom(2);
    for (int i = 0; i < 6000; i++) {
      var header = new StringBuilder("{");
      for (int n = random.nextInt(30); n > 0; n--)
        header.append(WORDS[random.nextInt(WORDS.length)]);
      open(HeaderBytes.file(header.toString(), random.nextInt(9)));
    }
    assertThat(opened + failed).isEqualTo(6000);
  }

  @Test
  void mutatedFiles() throws IOException {
    var random = new SplittableRandom(3);
    for (int i = 0; i < 10_000; i++) {
      byte[] bytes = HeaderBytes.file(VALID, 16);
      for (int n = random.nextInt(4); n > 0; n--) bytes = mutate(bytes, random);
      open(bytes);
    }
    assertThat(opened + failed).isEqualTo(10_000);
    assertThat(opened).isGreaterThan(2500);
    assertThat(failed).isGreaterThan(2500);
  }

  /** Another byte, digit or word somewhere, a piece left out or doubled, or the end cut off. */
  private static byte[] mutate(byte[] bytes, SplittableRandom random) {
    if (bytes.length < 10) return bytes;
    int at = random.nextInt(bytes.length);
    int to = Math.min(bytes.length, at + 1 + random.nextInt(12));
    byte[] head = Arrays.copyOf(bytes, at);
    byte[] tail = Arrays.copyOfRange(bytes, to, bytes.length);
    return switch (random.nextInt(6)) {
      case 0 -> set(bytes, at, (byte) random.nextInt());
      case 1 -> set(bytes, at, (byte) ('0' + random.nextInt(10)));
      case 2 -> join(head, tail);
      case 3 -> join(Arrays.copyOf(bytes, to), Arrays.copyOfRange(bytes, at, bytes.length));
      case 4 -> head;
      default -> join(head, join(word(random), tail));
    };
  }

  private static byte[] word(SplittableRandom random) {
    return WORDS[random.nextInt(WORDS.length)].getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] set(byte[] bytes, int at, byte value) {
    byte[] out = bytes.clone();
    out[at] = value;
    return out;
  }

  private static byte[] join(byte[] a, byte[] b) {
    byte[] out = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, out, a.length, b.length);
    return out;
  }

  private void open(byte[] bytes) throws IOException {
    Path file = HeaderBytes.write(folder, bytes);
    try (var read = Safetensors.open(file)) {
      for (String name : read.names()) {
        long elements = Tensor.size(read.shape(name));
        try {
          assertThat(read.get(name).toDoubles()).hasSize((int) elements);
        } catch (Failure e) {
          assertThat(e).hasMessageContaining("Seekr reads");
        }
      }
      opened++;
    } catch (Failure e) {
      assertThat(e.exit).isEqualTo(Failure.Exit.DATA);
      assertThat(e).hasMessageStartingWith(file + ":");
      failed++;
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError("file " + Arrays.toString(bytes), e);
    }
  }
}
