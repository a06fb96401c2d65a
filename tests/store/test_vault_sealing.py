"""Sealed data and files: they come back whole, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.errors import VaultDamaged
from aitrade.store import vault_sealing as sealing
from aitrade.store.vault import Vault

KEY, OTHER = bytes(range(32)), bytes(32)
BLOCK = sealing.BLOCK


@given(data=st.binary(max_size=2000), context=st.text(max_size=20).filter(str.isprintable))
def test_what_was_sealed_comes_back(data, context):
    """Any bytes, any context; the sealed form names its cipher and does not hold the data."""
    sealed = sealing.seal(KEY, data, context)
    assert sealing.unseal([OTHER, KEY], sealed, context) == data
    assert b"AES-256-GCM" in sealed
    assert len(data) < 8 or data not in sealed


@given(data=st.binary(max_size=200), bit=st.integers(min_value=0))
def test_a_flipped_bit_is_refused(data, bit):
    """One bit, in the header, in a block or in a tag."""
    sealed = bytearray(sealing.seal(KEY, data, "backup"))
    at = bit % (8 * len(sealed))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(VaultDamaged):
        sealing.unseal([KEY], bytes(sealed), "backup")


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 7])
def test_a_file_of_any_length(tmp_path, size):
    """Files at, below and above a block's border come back, and are refused when cut anywhere or prolonged."""
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    clear, sealed, back = tmp_path / "clear", tmp_path / "sealed", tmp_path / "back"
    clear.write_bytes(data)
    sealing.seal_file(KEY, clear, sealed, "file")
    sealing.unseal_file([KEY], sealed, back, "file")
    assert back.read_bytes() == data
    whole = sealed.read_bytes()
    header = whole.index(b"\n") + 1
    for cut in (0, 5, header, header + 10, header + BLOCK + 16, len(whole) - 1):
        if cut >= len(whole):
            continue
        sealed.write_bytes(whole[:cut])
        with pytest.raises(VaultDamaged):
            sealing.unseal_file([KEY], sealed, back, "file")
    sealed.write_bytes(whole + b"x")
    with pytest.raises(VaultDamaged):
        sealing.unseal_file([KEY], sealed, back, "file")


def test_blocks_keep_their_order(tmp_path):
    """Two blocks that changed places are refused."""
    sealed = sealing.seal(KEY, bytes(BLOCK) + b"\1" * BLOCK + b"end", "file")
    header, block = sealed.index(b"\n") + 1, BLOCK + 16
    first, second = sealed[header : header + block], sealed[header + block : header + 2 * block]
    with pytest.raises(VaultDamaged, match="block 0"):
        sealing.unseal([KEY], sealed[:header] + second + first + sealed[header + 2 * block :], "file")


def test_a_refused_file_leaves_the_target_as_it_was(tmp_path):
    """A damaged, foreign or wrongly named file overwrites nothing and leaves nothing behind."""
    source, sealed, target = tmp_path / "source", tmp_path / "sealed", tmp_path / "target"
    source.write_bytes(b"x" * (BLOCK + 1))
    target.write_bytes(b"precious")
    sealing.seal_file(KEY, source, sealed, "backup 1")
    whole = sealed.read_bytes()
    cases = [
        (whole[:-1], "backup 1", "cut short"),
        (whole, "backup 2", "another use"),
        (b"PK\3\4 a zip", "backup 1", "not sealed by aitrade"),
        (b"\xff\xfe\n", "backup 1", "not sealed by aitrade"),
        (whole.replace(b"AES-256", b"AES-128", 1), "backup 1", "AES-128-GCM"),
    ]
    for data, context, says in cases:
        sealed.write_bytes(data)
        with pytest.raises(VaultDamaged, match=says):
            sealing.unseal_file([KEY], sealed, target, context)
        assert target.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sealed", "source", "target"]


def test_the_vault_seals(tmp_path):
    """What a vault sealed opens after its keys were rotated and after a new sealing key, and by no other vault."""
    vault = Vault.ensure(tmp_path / "one")
    (tmp_path / "clear").write_bytes(b"orders")
    vault.seal_file(tmp_path / "clear", tmp_path / "sealed", "backup")
    sealed = vault.seal(b"orders", "backup")
    vault.rotate()
    vault.new_sealing_key()
    assert vault.unseal(sealed, "backup") == b"orders"
    vault.unseal_file(tmp_path / "sealed", tmp_path / "back", "backup")
    assert (tmp_path / "back").read_bytes() == b"orders"
    assert len(vault.sealing_keys()) == 2
    with pytest.raises(VaultDamaged, match="another vault"):
        Vault.ensure(tmp_path / "two").unseal(sealed, "backup")
