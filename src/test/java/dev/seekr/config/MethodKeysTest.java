package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MethodKeysTest {
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
    "train.lr, method.name=derpp, true"
  })
  void used(String key, String setting, boolean used) {
    assertThat(ConfigReader.parse("", "test", List.of(setting)).uses(key)).isEqualTo(used);
  }
}
