"""Bad networks: connections that break, servers that are busy, files that change, and who is told which secret."""

import socket
import threading

import pytest
from fetch_server import BODY, QUICK, File

from switchrank.core.errors import UserError
from switchrank.files.transfer import Patience, Transfer, length_of

OTHER = BODY[::-1]
TENTH = len(BODY) // 10 + 1
OLD = {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", "Date": "Tue, 02 Jan 2024 00:00:00 GMT"}
YOUNG = {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", "Date": "Mon, 01 Jan 2024 00:00:09 GMT"}


@pytest.fixture
def download(tmp_path):
    """``download(url)``: the bytes that arrive."""

    def run(url, *, verified=False, patience=QUICK):
        Transfer(url, tmp_path / "part", verified=verified, patience=patience, name="a.tsv").run()
        return (tmp_path / "part").read_bytes()

    return run


def test_a_server_that_drops_the_connection_at_every_tenth_is_resumed_to_the_end(server, download):
    server.files["/a.tsv"] = File(piece=TENTH)
    assert download(f"{server.url}/a.tsv") == BODY
    assert server.headers("Range") == [None, *(f"bytes={n * TENTH}-" for n in range(1, 10))]
    assert set(server.headers("If-Range")[1:]) == {'"v1"'}


def test_a_chunked_answer_that_breaks_off_is_not_whole(server, download):
    server.files["/a.tsv"] = File(chunked=True, piece=TENTH)
    assert download(f"{server.url}/a.tsv") == BODY
    assert len(server.asked) == 10


def test_a_part_that_is_shorter_than_its_range_is_not_whole(server, download):
    short = {"headers": {"Content-Length": "5"}, "length": False}
    server.files["/a.tsv"] = File(steps=[{"piece": 9}, short])
    assert download(f"{server.url}/a.tsv") == BODY
    assert server.headers("Range") == [None, "bytes=9-", "bytes=14-"]


def test_an_answer_without_a_length_is_taken_with_a_warning(server, download, capsys):
    server.files["/a.tsv"] = File(length=False)
    assert download(f"{server.url}/a.tsv") == BODY
    assert "warning: the server did not say how long it is" in capsys.readouterr().err


def test_a_last_modified_long_ago_serves_to_resume_as_well(server, download):
    server.files["/a.tsv"] = File(etag=None, headers=OLD, piece=TENTH)
    assert download(f"{server.url}/a.tsv") == BODY
    assert server.headers("If-Range")[1] == OLD["Last-Modified"]


@pytest.mark.parametrize(("etag", "headers"), [(None, {}), ('W/"weak"', {}), (None, YOUNG)])
def test_a_file_that_cannot_be_told_from_another_version_is_not_resumed(server, download, etag, headers):
    server.files["/a.tsv"] = File(etag=etag, headers=headers, steps=[{"piece": TENTH}])
    assert download(f"{server.url}/a.tsv") == BODY
    assert server.headers("Range") == [None, None]


def test_a_known_checksum_makes_resuming_safe_without_validators(server, download):
    server.files["/a.tsv"] = File(etag=None, piece=TENTH)
    assert download(f"{server.url}/a.tsv", verified=True) == BODY


@pytest.mark.parametrize("ranges", ["honoured", "blind"])
def test_a_file_that_changes_between_two_pieces_is_begun_anew(server, download, ranges):
    server.files["/a.tsv"] = File(
        body=OTHER, etag='"v2"', ranges=ranges, steps=[{"body": BODY, "etag": '"v1"', "piece": 9}]
    )
    assert download(f"{server.url}/a.tsv") == OTHER


def test_a_file_that_has_become_shorter_than_what_came_is_begun_anew(server, download):
    server.files["/a.tsv"] = File(body=b"short", ranges="blind", steps=[{"body": BODY, "piece": TENTH}])
    assert download(f"{server.url}/a.tsv") == b"short"


def test_another_part_than_the_one_asked_for_is_not_appended(server, download):
    server.files["/a.tsv"] = File(steps=[{"piece": 9}, {"ranges": "shifted"}])
    assert download(f"{server.url}/a.tsv") == BODY
    assert server.headers("Range") == [None, "bytes=9-", None]


def test_a_server_that_knows_no_ranges_sends_everything_again(server, download):
    server.files["/a.tsv"] = File(ranges="ignored", steps=[{"piece": TENTH}])
    assert download(f"{server.url}/a.tsv") == BODY


def test_a_server_that_never_sends_all_is_given_up(server, download):
    server.files["/a.tsv"] = File(ranges="ignored", piece=TENTH)
    with pytest.raises(UserError, match=r"cannot be read \(the connection broke\)"):
        download(f"{server.url}/a.tsv")
    assert len(server.asked) == 4


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(server, download, status):
    server.files["/a.tsv"] = File(steps=[{"status": status}, {"status": status}])
    assert download(f"{server.url}/a.tsv") == BODY


def test_a_server_says_when_to_come_back(server, download, monkeypatch):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    later = {"Retry-After": "7"}, {"Retry-After": "Mon, 01 Jan 2024 00:00:00 GMT"}, {"Retry-After": "soon"}
    server.files["/a.tsv"] = File(steps=[{"status": 429, "headers": headers} for headers in later])
    assert download(f"{server.url}/a.tsv", patience=Patience(first_pause=1.0)) == BODY
    assert pauses[:2] == [7.0, 0.0]
    assert 2.0 <= pauses[2] <= 4.0


def test_pauses_double_and_have_an_end(server, download, monkeypatch):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    server.files["/a.tsv"] = File(status=503)
    with pytest.raises(UserError, match="the server answers 503"):
        download(f"{server.url}/a.tsv", patience=Patience(tries=6, first_pause=1.0, longest_pause=4.0))
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, [1, 2, 4, 4, 4], strict=True))


def test_a_server_that_wants_to_be_left_alone_for_hours_ends_the_download(server, download):
    server.files["/a.tsv"] = File(status=503, headers={"Retry-After": "7200"})
    with pytest.raises(UserError, match="asks to come back in 7200 seconds"):
        download(f"{server.url}/a.tsv")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (File(status=404), "the server answers 404: correct the address"),
        (File(status=403), r"the server answers 403: access denied: .*netrc"),
        (File(status=416), "the server answers 416"),
        (File(status=304), "the server answers 304"),
        (File(status=302, headers={"Location": "/a.tsv"}), "redirected in a circle"),
        (File(status=302, headers={"Location": "file:///etc/hosts"}), "cannot be asked for"),
    ],
)
def test_what_does_not_get_better_is_not_tried_again(server, download, file, problem):
    server.files["/a.tsv"] = file
    with pytest.raises(UserError, match=problem) as caught:
        download(f"{server.url}/a.tsv")
    assert "\n" not in str(caught.value)
    assert "/a.tsv" in str(caught.value)


def test_a_server_that_is_not_there_is_one_line(download):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match=r"cannot be read \(Connection refused\): check the network"):
        download(f"http://127.0.0.1:{port}/a.tsv")


def test_a_server_that_says_nothing_is_given_up(download):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        with pytest.raises(UserError, match="timed out"):
            download(
                f"http://127.0.0.1:{silent.getsockname()[1]}/a.tsv",
                patience=Patience(tries=2, first_pause=0.0, read_timeout=0.2),
            )


def test_a_server_that_answers_with_noise_is_given_up(download):
    def speak(listening):
        for _ in range(8):
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(b"\x00\xff\n\n")

    with socket.socket() as noisy:
        noisy.bind(("127.0.0.1", 0))
        noisy.listen(8)
        noisy.settimeout(5)
        threading.Thread(target=speak, args=(noisy,), daemon=True).start()
        with pytest.raises(UserError, match="the connection broke"):
            download(f"http://127.0.0.1:{noisy.getsockname()[1]}/a.tsv")


def test_the_hub_gets_its_token_and_the_host_it_redirects_to_does_not(server, other_server, download, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    path = "/datasets/org/set/resolve/main/a%20b.tsv"
    server.files[path] = File(status=302, headers={"Location": f"http://localhost:{other_server.port}/blob?sig=1"})
    other_server.files["/blob?sig=1"] = File()
    assert download("hf://org/set@main/a b.tsv") == BODY
    assert server.headers("Authorization") == ["Bearer hf_secret"]
    assert other_server.headers("Authorization") == [None]


def test_another_host_never_gets_the_token_of_the_hub(server, download, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.files["/a.tsv"] = File()
    download(f"{server.url}/a.tsv")
    assert server.headers("Authorization") == [None]


def test_the_netrc_file_gives_user_and_password_to_their_host(server, download, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    server.files["/a.tsv"] = File()
    download(f"{server.url}/a.tsv")
    assert server.headers("Authorization") == ["Basic bWU6c2VjcmV0"]


@pytest.mark.parametrize(
    ("token", "hint"), [(None, "accept its terms and export HF_TOKEN"), ("hf_x", "accept its terms; or the name")]
)
def test_a_gated_dataset_says_what_to_do(server, download, monkeypatch, token, hint):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    server.files["/datasets/org/set/resolve/main/a.tsv"] = File(status=403, headers={"X-Error-Code": "GatedRepo"})
    with pytest.raises(UserError, match="403 GatedRepo: access denied") as caught:
        download("hf://datasets/org/set@main/a.tsv")
    assert hint in str(caught.value)


@pytest.mark.parametrize("status", [404, 403, 503])
def test_secrets_of_the_environment_are_sent_and_never_shown(server, download, monkeypatch, capfd, status):
    monkeypatch.setenv("PASSWORD", "s3cret")
    monkeypatch.setenv("SWITCHRANK_SEND", "PASSWORD")
    path = "/a.tsv?token=s3cret&page=1"
    server.files[path] = File(status=status)
    with pytest.raises(UserError) as caught:
        download(f"http://me:${{PASSWORD}}@127.0.0.1:{server.port}/a.tsv?token=${{PASSWORD}}&page=1")
    assert server.asked[0][1] == path
    assert server.headers("Authorization")[0] == "Basic bWU6czNjcmV0"
    told = capfd.readouterr()
    assert "s3cret" not in str(caught.value) + told.out + told.err
    assert f"http://***@127.0.0.1:{server.port}/a.tsv?token=***&page=1" in str(caught.value)


def test_a_broken_connection_does_not_show_the_address_that_was_asked(download, monkeypatch, capfd):
    monkeypatch.setenv("KEY", "s3cret")
    monkeypatch.setenv("SWITCHRANK_SEND", "KEY")
    with pytest.raises(UserError) as caught:
        download("http://127.0.0.1:9/${KEY}/a.tsv")
    assert "s3cret" not in str(caught.value) + capfd.readouterr().err


@pytest.mark.parametrize("whole", [True, False])
def test_a_redirect_takes_nothing_that_was_sent_to_another_host(
    server, other_server, download, monkeypatch, capfd, whole
):
    monkeypatch.setenv("KEY", "s3 cret")
    monkeypatch.setenv("SWITCHRANK_SEND", "KEY")
    location = f"http://localhost:{other_server.port}/blob?sig={'s3%20cret' if whole else 'other'}"
    server.files["/a.tsv?key=s3%20cret"] = File(status=302, headers={"Location": location})
    other_server.files["/blob?sig=other"] = File()
    address = f"{server.url}/a.tsv?key=${{KEY}}"
    if not whole:
        assert download(address) == BODY
        return
    with pytest.raises(
        UserError, match="redirected to where what was sent must not go: another host, or not encrypted"
    ):
        download(address)
    assert other_server.asked == []
    assert length_of(address) is None
    assert other_server.asked == []
    assert "s3" not in capfd.readouterr().err


def test_a_redirect_on_the_same_host_may_take_it(server, download, monkeypatch):
    monkeypatch.setenv("KEY", "s3cret")
    monkeypatch.setenv("SWITCHRANK_SEND", "KEY")
    server.files["/a.tsv?key=s3cret"] = File(status=302, headers={"Location": f"{server.url}/b.tsv?key=s3cret"})
    server.files["/b.tsv?key=s3cret"] = File()
    assert download(f"{server.url}/a.tsv?key=${{KEY}}") == BODY


def test_what_is_not_listed_is_not_sent_and_nobody_is_asked(server, download, monkeypatch):
    monkeypatch.setenv("KEY", "s3cret")
    address = f"{server.url}/a.tsv?key=${{KEY}}"
    with pytest.raises(UserError, match="would send environment variable KEY: if that host may have it, export"):
        download(address)
    assert length_of(address) is None
    assert server.asked == []


@pytest.fixture
def far(monkeypatch):
    """As if ``localhost`` were another machine."""
    monkeypatch.setattr("switchrank.files.addresses._LOCAL", "")


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("address", ["http://localhost:{port}/a.tsv", "hf://s@main/a.tsv"])
def test_no_password_goes_over_plain_http(server, download, tmp_path, monkeypatch, address):
    """Neither that of ~/.netrc nor the hub's token."""
    (tmp_path / "netrc").write_text("machine localhost login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("HF_ENDPOINT", f"http://localhost:{server.port}")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.files["/a.tsv"] = server.files["/datasets/s/resolve/main/a.tsv"] = File()
    download(address.format(port=server.port))
    assert server.headers("Authorization") == [None]


@pytest.mark.usefixtures("far")
def test_no_password_goes_over_plain_http_after_a_redirect(server, other_server, download, tmp_path):
    (tmp_path / "netrc").write_text("machine localhost login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    server.files["/a.tsv"] = File(status=302, headers={"Location": f"http://localhost:{other_server.port}/b.tsv"})
    other_server.files["/b.tsv"] = File()
    download(f"{server.url}/a.tsv")
    assert other_server.headers("Authorization") == [None]


def test_a_variable_that_is_not_set_is_named(download, monkeypatch):
    monkeypatch.setenv("SWITCHRANK_SEND", "NOT_THERE")
    with pytest.raises(UserError, match="environment variable NOT_THERE is not set: export it"):
        download("https://example.org/a?token=${NOT_THERE}")


def test_the_length_is_told_without_fetching(server, other_server, monkeypatch):
    server.files["/a.tsv"] = File()
    assert length_of(f"{server.url}/a.tsv") == len(BODY)
    assert length_of(f"{server.url}/missing.tsv") is None
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    linked = {"Location": f"{other_server.url}/blob", "X-Linked-Size": "123456"}
    server.files["/datasets/set/resolve/v1/a.tsv"] = File(status=302, headers=linked)
    other_server.files["/blob"] = File()
    assert length_of("hf://set@v1/a.tsv") == 123_456
    assert {method for method, _, _ in server.asked} == {"HEAD"}
