package dev.seekr.convert;

import java.util.HashMap;
import java.util.Map;

/**
 * The instructions of a pickle, by their byte. Those that PyTorch writes for dictionaries of
 * tensors are {@code known}; the others have names so that messages can name them.
 */
enum Opcode {
  MARK('(', true),
  STOP('.', true),
  POP('0'),
  POP_MARK('1'),
  DUP('2'),
  FLOAT('F'),
  INT('I'),
  BININT('J', true),
  BININT1('K', true),
  LONG('L'),
  BININT2('M', true),
  NONE('N', true),
  PERSID('P'),
  BINPERSID('Q', true),
  REDUCE('R', true),
  STRING('S'),
  BINSTRING('T'),
  SHORT_BINSTRING('U'),
  UNICODE('V'),
  BINUNICODE('X', true),
  APPEND('a', true),
  BUILD('b', true),
  GLOBAL('c', true),
  DICT('d'),
  EMPTY_DICT('}', true),
  APPENDS('e', true),
  GET('g'),
  BINGET('h', true),
  INST('i'),
  LONG_BINGET('j', true),
  LIST('l'),
  EMPTY_LIST(']', true),
  OBJ('o'),
  PUT('p'),
  BINPUT('q', true),
  LONG_BINPUT('r', true),
  SETITEM('s', true),
  TUPLE('t', true),
  EMPTY_TUPLE(')', true),
  SETITEMS('u', true),
  BINFLOAT('G', true),
  PROTO(0x80, true),
  NEWOBJ(0x81),
  EXT1(0x82),
  EXT2(0x83),
  EXT4(0x84),
  TUPLE1(0x85, true),
  TUPLE2(0x86, true),
  TUPLE3(0x87, true),
  NEWTRUE(0x88, true),
  NEWFALSE(0x89, true),
  LONG1(0x8a, true),
  LONG4(0x8b),
  BINBYTES('B'),
  SHORT_BINBYTES('C'),
  SHORT_BINUNICODE(0x8c, true),
  BINUNICODE8(0x8d, true),
  BINBYTES8(0x8e),
  EMPTY_SET(0x8f),
  ADDITEMS(0x90),
  FROZENSET(0x91),
  NEWOBJ_EX(0x92),
  STACK_GLOBAL(0x93, true),
  MEMOIZE(0x94, true),
  FRAME(0x95, true),
  BYTEARRAY8(0x96),
  NEXT_BUFFER(0x97),
  READONLY_BUFFER(0x98);

  private static final Map<Integer, Opcode> BY_BYTE = new HashMap<>();

  static {
    for (Opcode op : values()) BY_BYTE.put(op.code, op);
  }

  private final int code;
  final boolean known;

  Opcode(int code, boolean known) {
    this.code = code;
    this.known = known;
  }

  Opcode(int code) {
    this(code, false);
  }

  /** Null where no instruction has that byte. */
  static Opcode of(int code) {
    return BY_BYTE.get(code);
  }
}
