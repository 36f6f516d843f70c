"""An after-queue content filter: takes mail on 10024, gives it back to Postfix on 10025.

It speaks as amavisd does, but without XFORWARD, so the way from the first queue ID to the second
one shows only in its reply. `X-Filter: quiet` leaves the ID out of the reply, as simple filters do;
`X-Filter: spam` throws the mail away and says so.
"""

import asyncio
import json
import smtplib
import time
from email.parser import BytesHeaderParser
from pathlib import Path

from smtp_session import Envelope, Policy, listen

NEXT = ("127.0.0.1", 10025)
KEPT = Path("/var/spool/lab")


class Filter(Policy):
    """Looks at one header and passes on."""

    name = "csmx2.example.test"
    extensions = ("PIPELINING", "8BITMIME", "SMTPUTF8")

    def __init__(self) -> None:
        self.count = 0

    async def message(self, envelope: Envelope) -> str:
        self.count += 1
        mark = f"{7000 + self.count // 20:05d}-{self.count % 20 + 1:02d}"
        wish = BytesHeaderParser().parsebytes(envelope.data).get("X-Filter", "")
        if wish == "spam":
            record = vars(envelope) | {"data": envelope.data.decode("utf-8", "surrogateescape")}
            (KEPT / f"discarded.{mark}.json").write_text(json.dumps(record))
            return f"250 2.7.0 Ok, discarded, id={mark} - spam"
        try:
            reply = await asyncio.to_thread(give_back, envelope, mark)
        except (OSError, smtplib.SMTPException) as error:
            return f"451 4.5.0 Error in processing, id={mark}, {type(error).__name__}"
        return (
            "250 2.0.0 Ok"
            if wish == "quiet"
            else f"250 2.0.0 from MTA(smtp:[{NEXT[0]}]:{NEXT[1]}): {reply}"
        )


def give_back(envelope: Envelope, mark: str) -> str:
    """Send the mail to the second smtpd with a trace header of ours; its reply to the final dot."""
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S %z")
    by = f"by {Filter.name} (lab filter, port 10024) with ESMTP id {mark}"
    received = f"Received: from localhost {by};\r\n {stamp}\r\n"
    options = [
        each for each in envelope.options.split() if each.upper() in ("SMTPUTF8", "BODY=8BITMIME")
    ]
    with smtplib.SMTP(*NEXT, local_hostname=Filter.name) as smtp:
        smtp.ehlo()
        if "SMTPUTF8" in options:
            smtp.command_encoding = "utf-8"
        _expect(smtp.mail(envelope.sender, options))
        for recipient in envelope.recipients:
            _expect(smtp.rcpt(recipient))
        return _expect(smtp.data(received.encode() + envelope.data))


def _expect(answer: tuple[int, bytes]) -> str:
    code, text = answer
    if code >= 400:
        raise smtplib.SMTPResponseException(code, text)
    return f"{code} {text.decode()}"


async def main() -> None:
    await listen(Filter(), "127.0.0.1", 10024)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
