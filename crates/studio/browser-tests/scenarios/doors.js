// Who gets in: the printed link opens one browser, once; another asks for the token; nobody else sees anything.

import assert from "node:assert/strict";

async function the_link_opens_one_browser(world) {
  const first = await world.browser.newContext();
  const page = await first.newPage();
  await page.goto(world.server.link);
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(new URL(page.url()).search, "", "the code has left the address bar");
  assert.equal(await page.evaluate(() => document.cookie), "", "no script reads the cookie");
  const again = await first.newPage();
  assert.equal((await again.goto(world.server.link)).status(), 200, "the same browser may come again");
  await first.close();
  const other = await world.browser.newContext();
  const late = await other.newPage();
  const answer = await late.goto(world.server.link);
  assert.equal(answer.status(), 401);
  assert.match(await late.locator("p").textContent(), /used before/);
  await other.close();
}

async function another_browser_asks_for_the_token(world) {
  const context = await world.browser.newContext();
  const page = await context.newPage();
  assert.equal((await page.goto(`${world.server.address}/#/runs`)).status(), 401);
  await page.getByLabel("Token").fill("not the token");
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByText("not this server's").waitFor();
  await page.getByLabel("Token").fill(world.server.token);
  await page.getByRole("button", { name: "Open" }).click();
  await page.locator("nav").waitFor();
  assert.ok(!page.url().includes(world.server.token));
  await context.close();
}

export default [the_link_opens_one_browser, another_browser_asks_for_the_token];
