package dev.seekr.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The files are those of scripts/make_checkpoints.py: one model in many forms. */
class TorchFileTest {
  static final Path FOLDER = Path.of("src/test/resources/convert");
  @TempDir Path folder;

  private static Path bin(String name) {
    return FOLDER.resolve("bin/" + name + ".bin");
  }

  @ParameterizedTest
  @CsvSource({
    "f32,F32",
    "f16,F16",
    "f64,F64",
    "protocol4,F32",
    "protocol5,F32",
    "strided,F32",
    "parameters,F32"
  })
  void everyNumberIsReadAsItIs(String name, DType type) {
    try (var expected = TensorSource.open(FOLDER);
        var found = TorchFile.open(bin(name))) {
      assertThat(found.names()).containsExactlyInAnyOrderElementsOf(expected.names());
      for (String tensor : expected.names()) {
        assertThat(found.type(tensor)).isEqualTo(type);
        assertThat(found.shape(tensor)).as(tensor).isEqualTo(expected.shape(tensor));
        double[] numbers = expected.get(tensor).toDoubles();
        assertThat(numbers).as(tensor).isNotEmpty().doesNotContain(Double.NaN);
        assertThat(found.get(tensor).toDoubles()).as(tensor).isEqualTo(numbers);
      }
    }
  }

  /** In pieces of any length and from anywhere, also backwards. */
  @ParameterizedTest
  @ValueSource(strings = {"f32", "strided"})
  void piecesAreThoseOfTheWhole(String name) {
    try (var found = TorchFile.open(bin(name))) {
      for (String tensor : found.names()) {
        float[] all = found.get(tensor).toFloats();
        for (int length : new int[] {7, 1, all.length}) {
          for (int from = all.length - length; from >= 0; from -= 5) {
            float[] piece = new float[length];
            found.read(tensor, from, Tensor.of(piece));
            assertThat(piece).isEqualTo(Arrays.copyOfRange(all, from, from + length));
          }
        }
      }
    }
  }

  @Test
  void tensorsThatShareTheirNumbersAreReadTwice() {
    try (var found = TorchFile.open(bin("tied"))) {
      assertThat(found.get("lm_head.weight").toDoubles())
          .isEqualTo(found.get("model.embed_tokens.weight").toDoubles());
    }
  }

  @Test
  void bf16IsReadInBothTheWays() {
    try (var expected = TensorSource.open(FOLDER);
        var whole = TorchFile.open(bin("bf16"));
        var shards = Checkpoint.open(FOLDER.resolve("sharded"))) {
      for (String tensor : expected.names()) {
        float[] rounded = expected.get(tensor).toFloats();
        for (int i = 0; i < rounded.length; i++)
          rounded[i] = DType.fromBf16(DType.toBf16(rounded[i]));
        assertThat(whole.get(tensor).toFloats()).as(tensor).isEqualTo(rounded);
        assertThat(shards.get(tensor).toFloats()).as(tensor).isEqualTo(rounded);
      }
    }
  }

  @Test
  void wholeNumbersAreNamed() {
    try (var found = TorchFile.open(bin("int8"))) {
      assertRefused(() -> found.type("lm_head.weight"), "'lm_head.weight' is of torch.CharStorage");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "whole, 'asks for transformers.models.llama.modeling_llama.LlamaForCausalLM'",
    "legacy, 'format of PyTorch before 1.6, a bare pickle'"
  })
  void otherFormsAreNamed(String name, String message) {
    assertRefused(() -> TorchFile.open(bin(name)), message);
  }

  @Test
  void aTarIsNamed() throws IOException {
    byte[] tar = new byte[1024];
    System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 5);
    Path file = Files.write(folder.resolve("x.bin"), tar);
    assertRefused(() -> TorchFile.open(file), "format of PyTorch before 1.6, a tar");
  }

  @Test
  void whateverIsCutOffIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(FOLDER.resolve("sharded/pytorch_model-00001-of-00002.bin"));
    Path file = folder.resolve("x.bin");
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertRefused(() -> TorchFile.open(file), "x.bin: ");
    }
  }

  @Test
  void aPickleThatIsCutOffIsRefused() throws IOException {
    byte[] pickle;
    try (var zip = new ZipFile(bin("bf16").toFile());
        var in = zip.getInputStream(zip.getEntry("bf16/data.pkl"))) {
      pickle = in.readAllBytes();
    }
    Path file = Path.of("x.bin");
    assertThat(Pickle.read(file, pickle)).isInstanceOf(TorchGlobals.Dict.class);
    for (int length = 0; length < pickle.length; length++) {
      byte[] part = Arrays.copyOf(pickle, length);
      assertRefused(() -> Pickle.read(file, part), "x.bin: ");
    }
  }

  @Test
  void zipsThatGrowOrLieAreRefused() throws IOException {
    Path file = folder.resolve("x.bin");
    byte[] zeros = new byte[80 << 20];
    Zips.write(file, ZipEntry.DEFLATED, Map.of("x/data.pkl", new byte[] {'N', '.'}, "x/z", zeros));
    assertThat(Files.size(file)).isLessThan(1 << 20);
    assertRefused(() -> TorchFile.open(file), "would grow to more than 16 times its size");

    Zips.write(file, ZipEntry.STORED, Map.of("x/y", new byte[1]));
    assertRefused(() -> TorchFile.open(file), "the zip holds no data.pkl");
    Zips.write(file, ZipEntry.STORED, Map.of("x/data.pkl", new byte[1], "y/data.pkl", new byte[1]));
    assertRefused(() -> TorchFile.open(file), "the zip holds two of data.pkl");
    Zips.write(
        file, ZipEntry.STORED, Map.of("x/data.pkl", new byte[1], "x/constants.pkl", new byte[1]));
    assertRefused(() -> TorchFile.open(file), "a program (TorchScript)");
    byte[] big = "big".getBytes(StandardCharsets.US_ASCII);
    Zips.write(file, ZipEntry.STORED, Map.of("x/data.pkl", new byte[1], "x/byteorder", big));
    assertRefused(() -> TorchFile.open(file), "not little-endian");
  }

  /** Deflated entries, as zips that were packed again have them. */
  @Test
  void deflatedStoragesAreReadToo() throws IOException {
    Path file = folder.resolve("x.bin");
    var entries = Zips.entries(bin("strided"));
    Zips.write(file, ZipEntry.DEFLATED, entries);
    try (var expected = TensorSource.open(FOLDER);
        var found = TorchFile.open(file)) {
      for (String tensor : expected.names())
        assertThat(found.get(tensor).toDoubles()).isEqualTo(expected.get(tensor).toDoubles());
    }
  }

  @Test
  void storagesOfAnotherSizeAreRefused() throws IOException {
    Path file = folder.resolve("x.bin");
    var entries = Zips.entries(bin("bf16"));
    entries.put("bf16/data/3", new byte[7]);
    Zips.write(file, ZipEntry.STORED, entries);
    assertRefused(
        () -> TorchFile.open(file),
        "elements of torch.BFloat16Storage in the zip's data/3, found 7 bytes");
    entries.remove("bf16/data/3");
    Zips.write(file, ZipEntry.STORED, entries);
    assertRefused(() -> TorchFile.open(file), "data/3, found nothing");
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContaining(message);
  }
}
