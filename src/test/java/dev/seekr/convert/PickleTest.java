package dev.seekr.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Pickles are written here as texts: bytes from ' ' to '~' stand for themselves, \n for the end of
 * a line and \xHH for any byte.
 */
class PickleTest {
  private static final Path FILE = Path.of("x.bin");

  /** Refused by the name that is asked for, wherever it is asked for. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`cos\\nsystem\\n(X\\x02\\x00\\x00\\x00lstR.` | os.system",
        "`cposix\\nsystem\\n.` | posix.system",
        "`cbuiltins\\neval\\n(X\\x01\\x00\\x00\\x001tR.` | builtins.eval",
        "`c__builtin__\\nexec\\n.` | __builtin__.exec",
        "`\\x8c\\x02os\\x8c\\x06system\\x93.` | os.system",
        "`}X\\x01\\x00\\x00\\x00acsubprocess\\nPopen\\ns.` | subprocess.Popen",
        "`(ios\\nsystem\\n.` | os.system",
        "`ctorch._utils\\n_rebuild_tensor_v2\\n(cos\\nsystem\\ntR.` | os.system",
        "`ctorch.storage\\n_load_from_bytes\\n.` | torch.storage._load_from_bytes",
        "`ctorch.serialization\\nload\\n.` | torch.serialization.load",
        "`ctorch\\nTensor\\n.` | torch.Tensor",
        "`ctorch._tensor\\n_rebuild_from_type_v2\\n.` | torch._tensor._rebuild_from_type_v2",
        "`ctorch\\nstorage.UntypedStorage.__class__\\n.` | torch.storage.UntypedStorage.__class__",
        "`ccollections\\nOrderedDict.__init__\\n.` | collections.OrderedDict.__init__",
        "`ctorch\\nQInt8Storage\\n.` | torch.QInt8Storage",
        "`}}X\\x01\\x00\\x00\\x00aNsb.` | BUILD, the state of a dictionary",
        "`]}X\\x09\\x00\\x00\\x00_metadataNsb.` | BUILD, the state of a list",
        "`ctorch\\nfloat32\\n)R.` | a call of a class or function",
        "`ctorch\\nFloatStorage\\n)R.` | a call of a class or function",
        "`X\\x01\\x00\\x00\\x00a)R.` | a call of a text",
        "`\\x82\\x01.` | the instruction EXT1",
        "`\\x83\\x01\\x00.` | the instruction EXT2",
        "`\\x84\\x01\\x00\\x00\\x00.` | the instruction EXT4",
        "`ccollections\\nOrderedDict\\n)\\x81.` | the instruction NEWOBJ",
        "`\\x92.` | the instruction NEWOBJ_EX",
        "`(o.` | the instruction OBJ",
        "`P1\\n.` | the instruction PERSID",
        "`I1\\n.` | the instruction INT",
        "`B\\x00\\x00\\x00\\x00.` | the instruction BINBYTES",
        "`\\x97.` | the instruction NEXT_BUFFER"
      })
  void whateverIsNoTensorIsRefusedByName(String pickle, String asked) {
    assertRefused(
        bytes(pickle),
        "the pickle asks for " + asked + ", which is not a tensor; nothing of it was executed");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\\x80\\x01N.` | protocol 1; expected 2 to 5",
        "`\\x80\\x06N.` | protocol 6",
        "`\\xff` | byte 0xff is no instruction",
        "`NN.` | does not end with one object alone",
        "`N.N` | does not end with one object alone",
        "`(N.` | does not end with one object alone",
        "`.` | does not end with one object alone",
        "`(\\x85.` | takes more than it has",
        "`N(\\x85.` | takes more than it has",
        "`t.` | takes more than it has",
        "`h\\x00.` | asks for what it has not kept",
        "`j\\xff\\xff\\xff\\xff.` | asks for what it has not kept",
        "`q\\x00.` | takes more than it has",
        "`NNa.` | appends to what is no list",
        "`]NNs.` | into what is no dictionary",
        "`}(Nu.` | into what is no dictionary",
        "`}]Ns.` | neither text nor whole number",
        "`}NNs.` | neither text nor whole number",
        "`}K\\x01NsK\\x01Ns.` | the key '1' twice",
        "`\\x8a\\xff` | a whole number of 255 bytes",
        "`\\x8a\\x09\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01.` | a whole number of 9 bytes",
        "`X\\xff\\xff\\xff\\xff.` | a text of 4294967295 bytes",
        "`\\x8d\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff.` | a text of 18446744073709551615 bytes",
        "`\\x8d\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00.` | truncated",
        "`\\x8c\\x01\\xff.` | not UTF-8",
        "`c\\xff\\n\\n.` | not UTF-8",
        "`\\x95\\xff\\xff\\x00\\x00\\x00\\x00\\x00\\x00N.` | a frame of 65535 bytes",
        "`NN\\x93.` | whose name is no text",
        "`NQ.` | no storage of a tensor",
        "`ccollections\\nOrderedDict\\n(]tR.` | OrderedDict is called with arguments",
        "`ccollections\\nOrderedDict\\nNR.` | calls without arguments",
        "`ctorch._utils\\n_rebuild_tensor_v2\\n)R.` | arguments that make no tensor",
        "`ctorch._utils\\n_rebuild_parameter\\n(N\\x88}tR.` | arguments that make no parameter"
      })
  void whateverIsWrongIsRefused(String pickle, String message) {
    assertRefused(bytes(pickle), message);
  }

  /** ('storage', FloatStorage, '0', 'cpu', 6) and offset, shape, stride. */
  @ParameterizedTest
  @CsvSource({
    "K\\x01,K\\x06\\x85,K\\x01\\x85",
    "J\\xff\\xff\\xff\\xff,K\\x02\\x85,K\\x01\\x85",
    "K\\x00,K\\x02\\x85,K\\x06\\x85",
    "K\\x00,K\\x07\\x85,K\\x00\\x85",
    "K\\x00,K\\x02K\\x02\\x86,K\\x01\\x85",
    "K\\x00,\\x8a\\x08\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x40\\x85,K\\x04\\x85",
    "K\\x00,\\x8a\\x05\\x00\\x00\\x00\\x00\\x01q\\x09h\\x09\\x86,K\\x00K\\x00\\x86",
    "K\\x00,K\\x02\\x85,\\x8a\\x08\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f\\x85"
  })
  void tensorsStayInTheirStorage(String offset, String shape, String stride) {
    assertRefused(tensor(offset, shape, stride), "a tensor reaches out of its storage, data/0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "N\\x85",
        "J\\xff\\xff\\xff\\xff\\x85",
        "G\\x3f\\xf0\\x00\\x00\\x00\\x00\\x00\\x00\\x85"
      })
  void sizesAreWholeNumbers(String shape) {
    assertRefused(tensor("K\\x00", shape, "K\\x01\\x85"), "no whole number from 0 on");
  }

  @Test
  void tensorsAreReadWithTheirStrides() {
    var view =
        (TorchGlobals.View)
            Pickle.read(FILE, tensor("K\\x01", "K\\x02K\\x02\\x86", "K\\x01K\\x03\\x86"));
    assertThat(view.shape()).containsExactly(2, 2);
    assertThat(view.stride()).containsExactly(1, 3);
    assertThat(view.offset()).isEqualTo(1);
    assertThat(view.span()).isEqualTo(5);
    assertThat(view.contiguous()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\\x8a\\x00 | 0",
        "\\x8a\\x01\\xff | -1",
        "\\x8a\\x02\\xff\\x00 | 255",
        "\\x8a\\x08\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80 | -9223372036854775808",
        "J\\xfe\\xff\\xff\\xff | -2",
        "M\\xff\\xff | 65535",
        "K\\xff | 255"
      })
  void wholeNumbersAreRead(String pickle, long expected) {
    assertThat(Pickle.read(FILE, bytes(pickle + "."))).isEqualTo(expected);
  }

  @Test
  void otherValuesAreRead() {
    Object root =
        Pickle.read(
            FILE,
            bytes(
                "\\x80\\x02}(X\\x01\\x00\\x00\\x00aG\\x3f\\xf8\\x00\\x00\\x00\\x00\\x00\\x00"
                    + "\\x8c\\x01b\\x88K\\x05]q\\x00(Nh\\x00eu."));
    Map<Object, Object> items = ((TorchGlobals.Dict) root).items;
    assertThat(items.get("a")).isEqualTo(1.5);
    assertThat(items.get("b")).isEqualTo(true);
    var list = (TorchGlobals.Items) items.get(5L);
    assertThat(list.items).hasSize(2).first().isEqualTo(TorchGlobals.Plain.NONE);
    assertThat(list.items.get(1)).as("a list that holds itself").isSameAs(list);
  }

  @Test
  void whatHoldsTooMuchIsRefused() {
    assertRefused(bytes("N".repeat(1100000)), "holds more than 1048576 objects");
    assertRefused(bytes("(".repeat(1100000)), "holds more than 1048576 objects");
    assertRefused(bytes("N" + "\\x94".repeat(1100000)), "holds more than 1048576 objects");
    assertRefused(bytes("N" + "q\\x00".repeat(4200000)), "more than 4194304 instructions");
    assertRefused(bytes("c" + "a".repeat(100000)), "a name of 65537 bytes");
  }

  private static byte[] tensor(String offset, String shape, String stride) {
    return bytes(
        "ctorch._utils\\n_rebuild_tensor_v2\\n((X\\x07\\x00\\x00\\x00storage"
            + "ctorch\\nFloatStorage\\n"
            + "\\x8c\\x010\\x8c\\x03cpuK\\x06tQ"
            + offset
            + shape
            + stride
            + "\\x89}tR.");
  }

  private static byte[] bytes(String text) {
    var out = new ByteArrayOutputStream();
    byte[] in = text.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < in.length; i++) {
      if (in[i] != '\\') out.write(in[i]);
      else if (in[++i] == 'n') out.write('\n');
      else {
        out.write(Integer.parseInt(new String(in, i + 1, 2, StandardCharsets.US_ASCII), 16));
        i += 2;
      }
    }
    return out.toByteArray();
  }

  private static void assertRefused(byte[] pickle, String message) {
    assertThatThrownBy(() -> Pickle.read(FILE, pickle))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith("x.bin: ")
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }
}
