package dev.seekr.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.Child;
import dev.seekr.report.ResidentMemory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model of two large tensors, neither of which lies row by row, so that each must be held. */
class ConversionMemoryTest {
  private static final int V = 220_000, C = 256;
  private static final long LARGEST = 4L * V * C;
  @TempDir Path folder;

  /** Converts FROM to TO, and prints the most bytes that were resident. */
  static final class Main {
    public static void main(String[] args) {
      new Conversion(Path.of(args[0]), Path.of(args[1]), null, null, 1L << 40).run(_ -> {});
      System.out.println(ResidentMemory.peak());
    }
  }

  @Test
  void atMostTheLargestTensorIsHeld() throws IOException {
    Path from = Files.createDirectory(folder.resolve("from")), to = folder.resolve("to");
    Files.writeString(
        from.resolve("config.json"),
        """
        {"model_type": "llama", "vocab_size": %d, "hidden_size": %d, "intermediate_size": 2,
         "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1}
        """
            .formatted(V, C));
    Files.copy(
        TorchFileTest.FOLDER.resolve("sentencepiece/tokenizer.model"),
        from.resolve("tokenizer.model"));
    write(from.resolve("pytorch_model.bin"));
    try (var child =
        new Child(Map.of(), List.of("-Xmx64m"), Main.class, from.toString(), to.toString())) {
      String peak = child.out();
      assertThat(peak).as(child::err).isNotNull();
      assertThat(Long.parseLong(peak)).isPositive().isLessThan(LARGEST + (256L << 20));
    }
    assertThat(Files.size(to.resolve("model.safetensors"))).isGreaterThan(2 * LARGEST);
  }

  /** Names and shapes of a LLaMA of one layer; all of it zeros, and each matrix transposed. */
  private static void write(Path file) throws IOException {
    String at = "model.layers.0.";
    var shapes = new LinkedHashMap<String, int[]>();
    shapes.put("model.embed_tokens.weight", new int[] {V, C});
    for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj"))
      shapes.put(at + "self_attn." + name + ".weight", new int[] {C, C});
    for (String name : List.of("gate_proj", "up_proj"))
      shapes.put(at + "mlp." + name + ".weight", new int[] {2, C});
    shapes.put(at + "mlp.down_proj.weight", new int[] {C, 2});
    for (String name : List.of("input_layernorm", "post_attention_layernorm"))
      shapes.put(at + name + ".weight", new int[] {C});
    shapes.put("model.norm.weight", new int[] {C});
    shapes.put("lm_head.weight", new int[] {V, C});
    var pickle = new ByteArrayOutputStream();
    put(pickle, "}(");
    int key = 0;
    for (var e : shapes.entrySet()) {
      int[] shape = e.getValue();
      int n = shape[0] * (shape.length == 2 ? shape[1] : 1);
      text(pickle, e.getKey());
      put(pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
      text(pickle, "storage");
      put(pickle, "ctorch\nFloatStorage\n");
      text(pickle, String.valueOf(key++));
      text(pickle, "cpu");
      number(pickle, n);
      put(pickle, "tQ");
      number(pickle, 0);
      tuple(pickle, shape);
      tuple(pickle, shape.length == 2 ? new int[] {1, shape[0]} : new int[] {1});
      pickle.write(0x89);
      put(pickle, "}tR");
    }
    put(pickle, "u.");
    try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
      entry(zip, "x/data.pkl", pickle.toByteArray(), 1);
      key = 0;
      for (int[] shape : shapes.values())
        entry(
            zip,
            "x/data/" + key++,
            new byte[4 * shape[shape.length - 1]],
            shape.length == 2 ? shape[0] : 1);
    }
  }

  /** Some bytes, several times. */
  private static void entry(ZipOutputStream zip, String name, byte[] bytes, int times)
      throws IOException {
    var made = new ZipEntry(name);
    var crc = new CRC32();
    for (int i = 0; i < times; i++) crc.update(bytes);
    made.setMethod(ZipEntry.STORED);
    made.setCrc(crc.getValue());
    made.setSize((long) bytes.length * times);
    zip.putNextEntry(made);
    for (int i = 0; i < times; i++) zip.write(bytes);
    zip.closeEntry();
  }

  private static void text(OutputStream out, String text) throws IOException {
    put(out, "X");
    out.write(little(text.length()));
    put(out, text);
  }

  private static void number(OutputStream out, int n) throws IOException {
    put(out, "J");
    out.write(little(n));
  }

  private static void tuple(OutputStream out, int[] numbers) throws IOException {
    put(out, "(");
    for (int n : numbers) number(out, n);
    put(out, "t");
  }

  private static byte[] little(int n) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(n).array();
  }

  private static void put(OutputStream out, String ascii) throws IOException {
    out.write(ascii.getBytes(StandardCharsets.US_ASCII));
  }
}
