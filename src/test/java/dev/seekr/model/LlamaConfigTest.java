package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlamaConfigTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private ObjectNode json;

  @BeforeEach
  void readOne() throws IOException {
    json = (ObjectNode) JSON.readTree(Path.of("examples/nano/config.json").toFile());
  }

  private LlamaConfig read() throws IOException {
    Files.writeString(folder.resolve("config.json"), json.toString());
    return LlamaConfig.read(folder);
  }

  /** A field that cannot be is named with what may be there; it is not passed over in silence. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          bos_token_id            | 999999     | a whole number from 0 to 4095
          bos_token_id            | -5         | a whole number from 0 to 4095
          bos_token_id            | 1.0        | a whole number from 0 to 4095
          eos_token_id            | 999999     | whole numbers from 0 to 4095
          eos_token_id            | -7         | whole numbers from 0 to 4095
          eos_token_id            | "2"        | whole numbers from 0 to 4095
          eos_token_id            | [2, 4096]  | whole numbers from 0 to 4095
          rms_norm_eps            | 1e300      | a positive, finite number
          rms_norm_eps            | 0          | a positive, finite number
          rms_norm_eps            | "1e-5"     | a positive, finite number
          rope_theta              | 1e400      | a positive, finite number
          rope_theta              | "abc"      | a positive, finite number
          rope_theta              | -1         | a positive, finite number
          num_hidden_layers       | 2147483647 | a whole number from 1 to 10000
          num_hidden_layers       | 0          | a whole number from 1 to 10000
          num_attention_heads     | 2147483647 | a whole number from 1 to 1048576
          num_key_value_heads     | 3          | a multiple of num_key_value_heads 3
          num_key_value_heads     | 0          | a whole number from 1 to 1048576
          head_dim                | 2147483646 | a whole number from 1 to 1048576
          head_dim                | 15         | an even number: rotary embedding needs pairs
          head_dim                | 1048576    | heads of at most 8388608 channels together
          hidden_size             | 0          | a whole number from 1 to 1048576
          vocab_size              | 2147483647 | a whole number from 1 to 16777216
          intermediate_size       | "384"      | a whole number from 1 to 8388608
          max_position_embeddings | 0          | a whole number from 1 to 16777216
          tie_word_embeddings     | "true"     | true or false
          attention_bias          | true       | false: such biases are not supported
          model_type              | "gemma2"   | one of llama, mistral, qwen2, qwen3, smollm3; other models are not read
          model_type              | null       | one of llama, mistral, qwen2, qwen3, smollm3; other models are not read
          pad_token_id            | 4096       | a whole number from -1 to 4095
          hidden_act              | "gelu"     | "silu", which alone is supported
          rope_scaling            | 5          | an object
          """)
  void fields(String name, String value, String expected) throws IOException {
    json.set(name, JSON.readTree(value));
    var failure = catchThrowableOfType(Failure.class, this::read);
    assertThat(failure).isNotNull();
    assertThat(failure.exit.code).isEqualTo(65);
    boolean byAnother = expected.startsWith("a multiple") || expected.startsWith("heads of");
    assertThat(failure.getMessage())
        .hasLineCount(1)
        .startsWith(folder + "/config.json: " + (byAnother ? "num_attention_heads" : name) + " is ")
        .endsWith("; expected " + expected);
  }

  @Test
  void defaults() throws IOException {
    for (String name :
        new String[] {
          "bos_token_id",
          "eos_token_id",
          "rms_norm_eps",
          "rope_theta",
          "head_dim",
          "max_position_embeddings"
        }) json.remove(name);
    var config = read();
    assertThat(config.bos()).isEqualTo(-1);
    assertThat(config.eos()).isEmpty();
    assertThat(config.eps()).isEqualTo(1e-6f);
    assertThat(config.heads().HS()).isEqualTo(16);
    assertThat(config.maxPositions()).isEqualTo(2048);
    assertThat(config.rope().freq()[1]).isEqualTo(1f / (float) Math.pow(10000, 2 / 16f));
    json.putNull("eos_token_id");
    assertThat(read().eos()).isEmpty();
  }

  @Test
  void severalEndsAndTheirOrder() throws IOException {
    json.set("eos_token_id", JSON.readTree("[4095, 0]"));
    assertThat(read().eos()).containsExactly(4095, 0);
    assertThat(read().parameters()).isEqualTo(1_311_872);
  }
}
