package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FingerprintTest {
  private static final String
      EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @TempDir Path folder;

  /** The standard's own examples; what is before and after the bytes does not count. */
  @Test
  void ofBytes() {
    assertThat(Fingerprint.of(ByteBuffer.allocate(0))).isEqualTo(new Fingerprint(0, EMPTY));
    var bytes = ByteBuffer.wrap("xabcx".getBytes(StandardCharsets.US_ASCII), 1, 3);
    assertThat(Fingerprint.of(bytes.asReadOnlyBuffer())).isEqualTo(new Fingerprint(3, ABC));
    assertThat(Fingerprint.of(bytes)).isEqualTo(new Fingerprint(3, ABC));
    assertThat(bytes.remaining()).as("they can be read once more").isEqualTo(3);
    var direct = ByteBuffer.allocateDirect(3).put(bytes).flip();
    assertThat(Fingerprint.of(direct)).isEqualTo(new Fingerprint(3, ABC));
  }

  /** What is written has the fingerprint that it would have, and that it is read with. */
  @Test
  void ofContentAndOfFiles() {
    byte[] bytes = new byte[5_000_001]; // more than is read at once
    new SplittableRandom(2).nextBytes(bytes);
    Disk.Content content =
        out -> {
          for (int from = 0; from < bytes.length; from += 999_983)
            out.write(ByteBuffer.wrap(bytes, from, Math.min(999_983, bytes.length - from)));
        };
    var expected = Fingerprint.of(ByteBuffer.wrap(bytes));
    assertThat(expected.size()).isEqualTo(bytes.length);
    assertThat(Fingerprint.of(content)).isEqualTo(expected);
    assertThat(Disk.write(folder.resolve("a"), content)).isEqualTo(expected);
    assertThat(Disk.put(folder.resolve("b"), content)).isEqualTo(expected);
    assertThat(Reading.fingerprint(folder.resolve("a"))).isEqualTo(expected);
    assertThat(folder.resolve("b")).hasBinaryContent(bytes);
    assertThat(Fingerprint.of(Disk.Content.of(""))).isEqualTo(new Fingerprint(0, EMPTY));
  }

  @Test
  void aSingleBitCounts() throws Exception {
    Path file = Files.writeString(folder.resolve("a"), "abc");
    assertThat(Reading.fingerprint(file)).isEqualTo(new Fingerprint(3, ABC));
    Files.writeString(file, "abb");
    assertThat(Reading.fingerprint(file).sha256()).isNotEqualTo(ABC);
    Files.writeString(file, "abc\n");
    assertThat(Reading.fingerprint(file).size()).isEqualTo(4);
  }
}
