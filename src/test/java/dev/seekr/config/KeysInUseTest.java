package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeysInUseTest {
  /** No key is unknown, and each does something with some method. */
  @Test
  void everyKeyIsOfSomeMethod() {
    var keys = new ArrayList<String>();
    Records.leaves(RunConfig.DEFAULT.method(), "method", (key, _, _) -> keys.add(key));
    assertThat(keys).hasSizeGreaterThan(30);
    for (String key : keys) {
      var users = new ArrayList<MethodName>();
      for (MethodName name : MethodName.values()) {
        var config = ConfigReader.parse("", "test", List.of("method.name=" + name));
        if (config.uses(key)) users.add(name);
      }
      assertThat(users).as(key).isNotEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "method.seekr.heads, method.name=seekr, true",
    "method.seekr.heads, method.name=derpp, false",
    "method.seekr, method.name=derpp, false",
    "method.replay_ratio, method.name=lfpt5, true",
    "method.replay_ratio, method.name=ewc, false",
    "method.replay_ratio, method.replay_samples=2, false",
    "method.replay_samples, method.replay_samples=2, true",
    "method.lora.rank, method.name=olora, true",
    "method.lora.rank, method.name=seqft, false",
    "method.lora.rank, train.parameters=lora, true",
    "method.prompt.length, method.name=pp, true",
    "method.buffer_dtype, method.name=replay, false",
    "method.lambda1, method.name=derpp, false",
    "train.lr, method.name=derpp, true",
    "data.general_share, method.name=seqft, false",
    "data.general_share, data.general=somewhere, true",
    "data.instruction, data.format=pairs, false",
    "eval.ahead, method.name=mtl, false",
    "eval.ahead, data.tasks=[one], false",
    "eval.general.limit, method.name=seqft, false",
    "train.state, method.name=seekr, true",
    "train.state, method.name=olora, false",
    "train.state, method.name=l2p, false",
    "train.state, train.parameters=lora, false",
    "run.record_heads, method.name=pp, false",
    "run.record_heads, method.name=seekr, false",
    "run.record_heads, method.name=derpp, true"
  })
  void used(String key, String setting, boolean used) {
    assertThat(ConfigReader.parse("", "test", List.of(setting)).uses(key)).isEqualTo(used);
  }

  @Test
  void idle() {
    var config =
        ConfigReader.parse(
            "",
            "test",
            List.of(
                "method.name=derpp", "method.lora.rank=4", "data.general_loss=kl", "train.lr=1"));
    assertThat(config.idle()).containsExactly("data.general_loss", "method.lora.rank");
    assertThat(RunConfig.DEFAULT.idle()).isEmpty();
  }
}
