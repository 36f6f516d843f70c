// The answer of query_logs: the mails found, how they ended, and what strangers wrote in them.

/** The list of mails as one part of the page. */
function listingParts(answer) {
  const parts = [];
  if (answer.groups) parts.push(groupsPart(answer.groups));
  const rows = make("div", "mails");
  for (const mail of answer.mails) rows.append(mailRow(mail));
  if (answer.mails.length) parts.push(part(counted(answer.mails.length, "mail"), rows));
  return parts;
}

function groupsPart(groups) {
  const list = make("ul", "groups");
  for (const one of groups) {
    const where = distinct([one.relay && `at ${one.relay}`, one.reason]).join(": ");
    list.append(make("li", "", make("b", "number", String(one.count)), " ", chip(one.outcome), ` ${where}`));
  }
  return part("How they ended", list);
}

function mailRow(mail) {
  const name = mail.queue_id ?? "no queue ID";
  const row = make("div", "card row", make("div", "",
    make("p", "", make("b", "id", name), ` ${mail.host} `, make("span", "quiet", moment(mail.last_seen))),
    make("p", "", "from ", make("span", "id", shown(mail.sender, mail.sender_ref))),
  ));
  const ends = make("ul", "ends");
  for (const one of mail.recipients) {
    const reason = one.reason && one.outcome !== "sent" ? make("span", "reason", one.reason) : null;
    ends.append(make("li", "", chip(one.outcome, one.dsn), " ", make("span", "id", recipientName(one)), " ",
      reason));
  }
  if (!mail.recipients.length) ends.append(make("li", "quiet", "recipients not known"));
  row.append(ends, mailFold(mail));
  return row;
}

function mailFold(mail) {
  const id = mail.message_id ?? mail.message_id_ref;
  const words = `${counted(mail.lines, "line")}${mail.size === null ? "" : `, ${bytes(mail.size)}`}`;
  return folded([words], () => {
    const known = facts([["message-id", id], ["first seen", moment(mail.first_seen)]]);
    const lines = mail.untrusted.filter((entry) => entry.where.startsWith("line, "));
    const others = mail.untrusted.filter((entry) => !entry.where.startsWith("line, "));
    return [known, strangers(others), lineList(lines.map((entry) => entry.text))];
  });
}
